"""HTTP as bare as it goes, so that it is the server that is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import socket
from threading import Thread
import time
from urllib.parse import urljoin, urlsplit

_READ = 1 << 18
_TIMEOUT = 30.0


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long `work` took."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def get(url: str) -> bytes:
    """Return a whole body; raises RuntimeError for another status than 200."""
    with connect(url) as sock:
        data = b"".join(_pieces(sock))
    head, _, body = data.partition(b"\r\n\r\n")
    if head.split(None, 2)[1] != b"200":
        raise RuntimeError(f"{url}: {data[:300]!r}")
    return body


def read_until(url: str, found: Callable[[bytes], bool]) -> None:
    """Read an endless answer until `found`, which is given it piece by piece, is content."""
    with connect(url) as sock:
        for data in _pieces(sock):
            if found(data):
                return
    raise RuntimeError(f"{url} ended")


def newest_segment(url: str) -> bytes:
    """Do what an HLS player does: the master playlist, the media playlist, a segment."""
    media = urljoin(url, _uris(get(url))[-1])
    return get(urljoin(media, _uris(get(media))[-1]))


def _uris(playlist: bytes) -> list[str]:
    return [line for line in playlist.decode().splitlines() if line and not line.startswith("#")]


@contextmanager
def watching(*urls: str) -> Iterator[None]:
    """Keep a viewer on each of these endless answers, once something has come: for what must be warm."""
    sockets = [connect(url) for url in urls]
    threads = [Thread(target=_discard, args=(sock,)) for sock in sockets]
    try:
        for sock in sockets:
            sock.recv(_READ)
        for thread in threads:
            thread.start()
        yield
    finally:
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for sock in sockets:
            sock.close()


def connect(url: str) -> socket.socket:
    """Send a request and return the connection on which the answer comes."""
    parts = urlsplit(url)
    assert parts.port
    sock = socket.create_connection((str(parts.hostname), parts.port), timeout=_TIMEOUT)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    sock.sendall(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
    return sock


def _pieces(sock: socket.socket) -> Iterator[bytes]:
    while data := sock.recv(_READ):
        yield data


def _discard(sock: socket.socket) -> None:
    scrap = bytearray(_READ)
    with suppress(OSError):
        while sock.recv_into(scrap, _READ, socket.MSG_TRUNC):
            pass
