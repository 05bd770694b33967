"""Many MJPEG viewers in one cheap process, that know of every frame whether it came.

Run as a program: `crowd.py HOST PORT PATH`, then one command a line on stdin, each answered with one line of JSON:

    join N     N more viewers; answers when each has had its first frame
    stall N    N more that ask and never read
    mark       begin to count
    read       what each reading viewer has got since `mark`: frames, and frames that it should have got but missed
    leave      all go

A frame's pixels are discarded in the kernel (MSG_TRUNC, tcp(7)), so that the clients leave the machine to the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
from pathlib import Path
import re
import select
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

_HEAD = 512
"""Bytes read at a part's beginning: more than its headers, less than any frame."""

_FIELDS = re.compile(rb"Content-Length: (\d+)\r\n(?:.*\r\n)*?X-Sequence: (\d+)\r\n(?:.*\r\n)*?\r\n")

_OK = b"HTTP/1.1 200"

_scrap = bytearray(1 << 20)


class Viewer:
    """One viewer that reads all it gets."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.frames = self.missed = 0
        self._sequence: int | None = None
        self._left = 0
        self._head = b""

    def mark(self) -> None:
        """Begin to count."""
        self.frames = self.missed = 0

    def read(self) -> None:
        """Take what is there."""
        try:
            if self._left:
                self._discard()
            if not self._left:
                self._read_head()
        except BlockingIOError:
            pass

    def _read_head(self) -> None:
        data = self.sock.recv(_HEAD)
        if not data:
            raise SystemExit("the server hung up")
        self._head += data
        if b"X-Tripod-No-Signal" in self._head:
            raise SystemExit(f"no signal: {self._head!r}")
        if not (found := _FIELDS.search(self._head)):
            return
        self._left = int(found[1]) - (len(self._head) - found.end())
        self._head = b""
        self._note(int(found[2]))
        self._discard()

    def _discard(self) -> None:
        """Have the kernel throw a frame's bytes away."""
        while self._left:
            self._left -= self.sock.recv_into(_scrap, min(self._left, len(_scrap)), socket.MSG_TRUNC)

    def _note(self, sequence: int) -> None:
        if sequence == self._sequence:
            return  # the first frame comes twice
        if self._sequence is not None:
            self.missed += sequence - self._sequence - 1
        self._sequence = sequence
        self.frames += 1


class Room:
    """All viewers, and the commands."""

    def __init__(self, host: str, port: int, path: str) -> None:
        self._address = (host, port)
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
        self._viewers: dict[int, Viewer] = {}
        self._stalled: list[socket.socket] = []
        self._poll = select.epoll()
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Obey until stdin ends."""
        while True:
            for file, _ in self._poll.poll():
                if file != sys.stdin.fileno():
                    self._viewers[file].read()
                elif not self._obey(sys.stdin.readline().split()):
                    return

    def _obey(self, command: list[str]) -> bool:
        match command:
            case ["join", count]:
                self._join(int(count))
                answer: object = None
            case ["stall", count]:
                self._stalled += [self._connect() for _ in range(int(count))]
                answer = None
            case ["mark"]:
                for viewer in self._viewers.values():
                    viewer.mark()
                answer = None
            case ["read"]:
                answer = [[viewer.frames, viewer.missed] for viewer in self._viewers.values()]
            case ["leave"]:
                self._leave()
                answer = None
            case _:
                return False
        print(json.dumps(answer), flush=True)
        return True

    def _connect(self) -> socket.socket:
        sock = socket.create_connection(self._address)
        sock.sendall(self._request)
        if (status := sock.recv(len(_OK))) != _OK:
            raise SystemExit(f"not what was asked for: {status!r}")
        return sock

    def _join(self, count: int) -> None:
        new = [Viewer(self._connect()) for _ in range(count)]
        for viewer in new:
            viewer.sock.settimeout(0)
            self._viewers[viewer.sock.fileno()] = viewer
            self._poll.register(viewer.sock, select.EPOLLIN)
        while not all(viewer.frames for viewer in new):
            for file, _ in self._poll.poll():
                if file in self._viewers:
                    self._viewers[file].read()

    def _leave(self) -> None:
        for sock in [*(viewer.sock for viewer in self._viewers.values()), *self._stalled]:
            sock.close()
        self._viewers.clear()
        self._stalled.clear()


class Crowd:
    """The program, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def join(self, count: int) -> None:
        """Let more viewers in, who have all seen a frame when this returns."""
        self._tell(f"join {count}")

    def stall(self, count: int) -> None:
        """Let viewers in who never read."""
        self._tell(f"stall {count}")

    def mark(self) -> None:
        """Begin to count."""
        self._tell("mark")

    def read(self) -> list[tuple[int, int]]:
        """Return for each reading viewer the frames since `mark`, and those that it missed."""
        return [(frames, missed) for frames, missed in self._tell("read")]

    def leave(self) -> None:
        """Let all go."""
        self._tell("leave")

    def _tell(self, command: str) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(f"the viewers are gone: exit status {self._process.wait()}")
        return json.loads(line)


@contextmanager
def crowd(url: str) -> Iterator[Crowd]:
    """Run the program for viewers of `url`."""
    parts = urlsplit(url)
    command = [sys.executable, "-I", str(Path(__file__)), str(parts.hostname), str(parts.port), parts.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Crowd(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait()


if __name__ == "__main__":
    Room(sys.argv[1], int(sys.argv[2]), sys.argv[3]).run()
