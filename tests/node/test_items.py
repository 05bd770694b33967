"""What a camera kept is listed, read, pinned, removed, and taken over a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from custom_components.tripod.engine.archive import Archive, Item, Kind

from .site import DOOR, Serve, Site

BEGIN = datetime(2026, 10, 24, 22, 0, tzinfo=timezone(timedelta(hours=2)))


def keep(archive: Archive, count: int, *, named: bool = False) -> list[Item]:
    """Keep snapshots, half an hour apart."""
    return [
        archive.publish(
            Kind.SNAPSHOT,
            BEGIN + number * timedelta(minutes=30),
            f"picture {number}".encode(),
            suffix=".jpg",
            name=f"{chr(122 - number)}.jpg" if named else None,
            details={"number": number},
        )
        for number in range(count)
    ]


async def pages(site: Site, limit: int, *, remove: bool = False) -> list[dict[str, Any]]:
    """Take all over, as Home Assistant does."""
    found: list[dict[str, Any]] = []
    more, after = True, ""
    while more:
        answer = await site.ask("GET", f"/cameras/door/items?kind=snapshots&limit={limit}{after}")
        items, more = answer.data["items"], answer.data["more"]
        assert len(items) <= limit
        found += items
        after = f"&after={items[-1]['key'].replace('+', '%2B')}"
        for item in items if remove else []:
            assert (await site.ask("DELETE", f"/cameras/door/items/{item['key'].replace('+', '%2B')}")).status == 200
    return found


@pytest.mark.parametrize("named", [False, True])
async def test_all_is_taken_over_in_its_order_a_page_at_a_time(trusting: Site, named: bool) -> None:  # noqa: FBT001
    camera = trusting.node.cameras["door"]
    await camera.camera.ready()
    kept = keep(camera.archive, 11, named=named)
    keys = [item.key for item in kept]
    for limit in (1, 4, 11, 100):
        assert [item["key"] for item in await pages(trusting, limit)] == keys
    taken = await pages(trusting, 3, remove=True)
    assert [item["key"] for item in taken] == keys
    assert [item["details"]["number"] for item in taken] == list(range(11))
    assert (await trusting.ask("GET", "/cameras/door/items?kind=snapshots")).data == {"items": [], "more": False}


async def test_files_are_read_whole_and_in_parts(trusting: Site) -> None:
    camera = trusting.node.cameras["door"]
    await camera.camera.ready()
    (item,) = keep(camera.archive, 1)
    address = f"/cameras/door/items/{item.key.replace('+', '%2B')}"
    whole = await trusting.ask("GET", address)
    assert (whole.status, whole.body, whole.headers["Content-Type"]) == (200, b"picture 0", "image/jpeg")
    part = await trusting.ask("GET", address, Range="bytes=3-5")
    assert (part.status, part.body, part.headers["Content-Range"]) == (206, b"tur", "bytes 3-5/9")
    head = await trusting.ask("HEAD", address)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "9", b"")
    assert (await trusting.ask("GET", address, Range="bytes=99-")).status == 416
    assert (await trusting.ask("GET", address.replace("/items/", "/thumbnails/"))).body == b"picture 0"
    pin = address.replace("/items/", "/pins/")
    assert (await trusting.ask("POST", pin)).data == {"key": item.key, "pinned": True}
    assert (await trusting.ask("GET", "/cameras/door/items?kind=snapshots")).data["items"][0]["pinned"]
    assert (await trusting.ask("DELETE", pin)).data["pinned"] is False
    assert (await trusting.ask("DELETE", address)).data == {"key": item.key}
    for method, gone in (("GET", address), ("DELETE", address), ("POST", pin), ("DELETE", pin)):
        answer = await trusting.ask(method, gone)
        assert (answer.status, answer.cause) == (404, "no_such_item"), (method, gone)


def outside() -> Iterator[str]:
    """Yield keys that lead out of the archive, or to what is none of its items."""
    yield from ("../../state/tokens.json", "snapshots/../../../state/tokens.json", "%2e%2e/%2e%2e/state/node.json")
    yield from ("/etc/passwd", "%2Fetc%2Fpasswd", ".jobs.json", ".tripod.json", "snapshots", "snapshots/2026-10-24/")
    yield from ("snapshots%00", "%ff", "snapshots/2026-10-24/.x.jpg", "a" * 5000, "snapshots/2026-10-24/nix.jpg")


async def test_no_key_leads_out_of_the_archive(trusting: Site) -> None:
    camera = trusting.node.cameras["door"]
    await camera.camera.ready()
    keep(camera.archive, 1)
    for key in outside():
        for method, what in (("GET", "items"), ("GET", "thumbnails"), ("DELETE", "items"), ("POST", "pins")):
            request = f"/cameras/door/{what}/{key}"
            reader, writer = await asyncio.open_connection("127.0.0.1", trusting.node.port)
            writer.write(f"{method} {request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            assert answer.split(b" ", 2)[1] in (b"400", b"404", b"405"), (method, request, answer)


async def test_what_is_asked_for_must_make_sense(trusting: Site) -> None:
    for query in ("", "?kind=frames", "?kind=x", "?kind=snapshots&limit=0", "?kind=snapshots&limit=101"):
        assert (await trusting.ask("GET", f"/cameras/door/items{query}")).cause == "invalid_command", query
    for after in ("x", "snapshots/x/y", "snapshots/2026-99-99/x.jpg", "%00"):
        answer = await trusting.ask("GET", f"/cameras/door/items?kind=snapshots&after={after}")
        assert (answer.status, answer.cause) == (400, "invalid_command"), after
    unknown = await trusting.ask("GET", "/cameras/nix/items?kind=snapshots")
    assert (unknown.status, unknown.cause) == (404, "no_such_camera")


async def test_an_archive_that_is_away_is_told(serve: Serve) -> None:
    site = await serve()
    await site.node.cameras["door"].camera.ready()
    await site.until(lambda: bool(site.node.memory.archive("door")))
    await site.node.close()
    (site.folder / "archive/door").rename(site.folder / "elsewhere")
    again = await serve()
    for method, address, body in (
        ("GET", "items?kind=snapshots", None),
        ("POST", "snapshot", {}),
        ("POST", "recordings", {}),
    ):
        answer = await again.ask(method, f"/cameras/{DOOR.id}/{address}", body)
        assert (answer.status, answer.cause) == (503, "archive_missing"), address
    status = (await again.ask("GET", "/cameras/door/status")).data
    assert (status["storage"]["present"], status["storage"]["cause"]) == (False, "archive_missing")
    # it streams all the same
    assert (await again.ask("GET", "/snapshot.jpg")).status == 200
