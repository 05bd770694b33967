"""What opens a node: kept safely, changed beside the running node, and gone at once when it is revoked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from custom_components.tripod.engine.errors import InvalidConfiguration
from custom_components.tripod.engine.web import Scope
from custom_components.tripod.node.credentials import Credentials
from custom_components.tripod.node.state_file import StateFile

from .site import Site, ended


def test_what_was_made_is_there_after_a_restart(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    until = datetime(2027, 1, 1, tzinfo=UTC)
    token = credentials.add_token("Home")
    link, key = credentials.add_link("door", "TV", scopes={Scope.STREAM}, expires_at=until, viewers=2)
    again = Credentials(tmp_path)
    again.load()
    assert again.links == (link,)
    found = again.token(token)
    assert found
    assert (found.name, found.client.id, again.named(found.id)) == ("Home", found.id, found)
    assert again.link(key) == link
    assert not again.link(token)
    assert not again.token(key)
    assert not again.token("\ud800")
    assert token not in repr(found)
    assert (again.remove_token(found.id), again.remove_token(found.id)) == (True, False)
    assert (again.remove_link(link.id), again.remove_link(link.id)) == (True, False)
    assert not again.token(token)
    credentials.load()
    assert (credentials.tokens, credentials.links) == ((), ())


def test_a_damaged_file_is_told_and_not_begun_anew(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"tokens": [{"name": "x"}]}', '{"tokens": 5}', "\0"):
        (tmp_path / "tokens.json").write_text(text)
        with pytest.raises(InvalidConfiguration, match=r"tokens\.json"):
            Credentials(tmp_path).load()
    assert (tmp_path / "tokens.json").read_text() == "\0"


async def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """The command line and the node write the same files."""
    names = [f"client {number}" for number in range(12)]
    writers = [Credentials(tmp_path) for _ in names]
    pairs = zip(writers, names, strict=True)
    await asyncio.gather(*(asyncio.to_thread(writer.add_token, name) for writer, name in pairs))
    known = Credentials(tmp_path)
    known.load()
    assert sorted(token.name for token in known.tokens) == sorted(names)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


async def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "x.json")
    with file.changing() as held:
        held["a"] = 1
    with pytest.raises(ZeroDivisionError), file.changing() as held:
        held["a"] = 1 / 0
    with pytest.raises(TypeError), file.changing() as held:
        held["a"] = object()
    assert file.read() == {"a": 1}


async def test_who_is_revoked_by_the_command_line_is_sent_away(site: Site) -> None:
    beside = Credentials(site.folder / "state")  # another program's
    _, key = beside.add_link("door", "TV")
    token = beside.add_token("Home")
    await site.until(lambda: bool(site.node.credentials.tokens))
    async with (
        site.open("GET", f"/links/{key}/stream.mjpg") as by_link,
        site.open("GET", "/stream.ts", token=token) as by_token,
        site.open("GET", "/events", token=token) as events,
    ):
        for answer in (by_link, by_token, events):
            assert answer.status == 200
            await answer.content.readany()
        assert site.node.presence
        beside.load()
        beside.remove_token(beside.tokens[0].id)
        beside.remove_link(beside.links[0].id)
        async with asyncio.timeout(10):
            for answer in (by_link, by_token, events):
                await ended(answer)
    assert (await site.ask("GET", "/node", token=token)).status == 401
    assert (await site.ask("GET", f"/links/{key}/snapshot.jpg")).status == 404
    await site.until(lambda: not site.node.presence)


async def test_links_and_clients_come_and_go_over_http(site: Site) -> None:
    token = site.token("Home")
    until = datetime.now().astimezone() + timedelta(hours=1)
    asked = {"camera": "door", "name": "TV", "scopes": ["stream"], "expires": until.isoformat(), "viewers": 3}
    made = await site.ask("POST", "/links", asked, token=token)
    assert made.status == 201
    facts = made.data
    key, path = facts.pop("key"), facts.pop("path")
    assert path == f"links/{key}/"
    assert (await site.ask("GET", f"/{path}stream.m3u8")).status == 200
    listed = await site.ask("GET", "/links", token=token)
    assert key.encode() not in listed.body
    (link,) = listed.data["links"]
    assert link.pop("used_at")
    assert facts.pop("used_at") is None
    assert link == facts
    for wrong in (
        {"camera": "nix", "name": "x"},
        {"camera": "door"},
        {"camera": "door", "name": "x", "scopes": ["control"]},
        {"camera": "door", "name": "x", "expires": "tomorrow"},
        {"camera": "door", "name": "x", "viewers": 0},
        {"camera": "door", "name": "x", "viewers": True},
    ):
        assert (await site.ask("POST", "/links", wrong, token=token)).status in (400, 404), wrong
    revoked = f"/links/{facts['id']}"
    assert (await site.ask("DELETE", revoked, token=token)).data == {"id": facts["id"]}
    assert (await site.ask("DELETE", revoked, token=token)).status == 404
    other = site.token("Other")
    clients = (await site.ask("GET", "/clients", token=token)).data["clients"]
    assert [client["name"] for client in clients] == ["Home", "Other"]
    assert (await site.ask("DELETE", f"/clients/{clients[1]['id']}", token=token)).status == 200
    assert (await site.ask("GET", "/clients", token=other)).status == 401
    assert (await site.ask("DELETE", f"/clients/{clients[1]['id']}", token=token)).status == 404


async def test_a_link_that_ends_while_somebody_watches(site: Site) -> None:
    key = site.link(expires_at=datetime.now(UTC) + timedelta(seconds=1.5))
    await site.node.credentials.take_over()
    async with site.open("GET", f"/links/{key}/stream.mjpg") as stream, asyncio.timeout(10):
        assert stream.status == 200
        await ended(stream)


async def test_when_they_were_used_last_outlives_the_node(site: Site) -> None:
    token = site.token()
    await site.ask("GET", "/node", token=token)
    found = site.node.credentials.token(token)
    assert found
    used = site.node.credentials.used(found.id)
    assert used
    await site.node.close()
    again = Credentials(site.folder / "state")
    again.load()
    assert again.used(found.id) == used
