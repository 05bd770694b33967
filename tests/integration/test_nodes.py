"""What all cameras of a node have in common: presence, offers, new addresses, farewell; with a real node."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    SOURCE_DISCOVERY,
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod import node_views, nodes
from custom_components.tripod.const import DOMAIN
from custom_components.tripod.diagnostics import async_get_config_entry_diagnostics
from custom_components.tripod.engine.errors import Unpaired
from custom_components.tripod.node_watch import NodeWatch
from custom_components.tripod.preview import previews
from custom_components.tripod.shared import SHARED
from custom_components.tripod.system_health import _nodes

from .conftest import Client, SetUp
from .node import Machine, add, cameras


@pytest.fixture
async def machine(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[Machine]:
    """Run a node with two cameras."""
    machine = Machine(tmp_path / "machine", cameras=cameras("bench", "door"))
    await machine.start()
    yield machine
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await machine.stop()


def watch_of(hass: HomeAssistant, machine: Machine) -> NodeWatch:
    """Return the connection to the node."""
    watch = hass.data[SHARED].nodes.watch(machine.node.id)
    assert watch
    return watch


async def until(watch: NodeWatch, holds: Callable[[], bool]) -> None:
    """Wait until `holds`, looking at each news of a node."""
    changed = asyncio.Event()
    unlisten = watch.listen(changed.set)
    try:
        async with asyncio.timeout(20):
            while not holds():
                await changed.wait()
                changed.clear()
    finally:
        unlisten()


async def until_met(hass: HomeAssistant, machine: Machine) -> NodeWatch:
    """Wait until the node is connected."""
    watch = watch_of(hass, machine)
    await until(watch, lambda: watch.connected)
    await hass.async_block_till_done()
    return watch


def offers(hass: HomeAssistant) -> set[str]:
    """Return what is offered."""
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return {flow["context"]["unique_id"] or "" for flow in flows if flow["context"]["source"] == SOURCE_DISCOVERY}


async def test_the_node_knows_us_present_while_a_camera_is_set_up(hass: HomeAssistant, machine: Machine) -> None:
    entries = [await add(hass, machine, name) for name in ("bench", "door")]
    await until_met(hass, machine)
    clients = [machine.access(entry.data["token"]).client for entry in entries]
    assert [client in machine.node.presence for client in clients] == [True, False], "one connection for both cameras"
    await hass.config_entries.async_unload(entries[0].entry_id)
    assert machine.node.presence
    await hass.config_entries.async_unload(entries[1].entry_id)
    assert hass.data[SHARED].nodes.watches == ()


async def test_further_cameras_are_offered_and_withdrawn(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    watch = await until_met(hass, machine)
    key = machine.node.id
    assert offers(hass) == {f"{key}:door"}
    await machine.stop()
    machine.change(cameras=cameras("bench", "hall", "yard"))
    await until(watch, lambda: not watch.connected)
    ignored = MockConfigEntry(domain=DOMAIN, unique_id=f"{key}:yard", source=SOURCE_IGNORE)
    ignored.add_to_hass(hass)
    await machine.start()
    await until_met(hass, machine)
    assert offers(hass) == {f"{key}:hall"}, "the door is gone, and nobody wants the yard"
    await hass.config_entries.async_remove(ignored.entry_id)
    await hass.async_block_till_done()
    assert offers(hass) == {f"{key}:hall", f"{key}:yard"}, "not ignored any more"
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert offers(hass) == set()


async def test_a_camera_that_was_removed_is_offered_again_and_the_last_one_takes_our_token_along(
    hass: HomeAssistant, machine: Machine
) -> None:
    token = machine.token()
    entries = [await add(hass, machine, name, token=token) for name in ("bench", "door")]
    other = machine.token("Another Home Assistant")
    await until_met(hass, machine)
    assert offers(hass) == set()
    await hass.config_entries.async_remove(entries[1].entry_id)
    await hass.async_block_till_done()
    assert offers(hass) == {entries[1].unique_id}
    assert machine.node.credentials.token(token)
    await hass.config_entries.async_remove(entries[0].entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert machine.node.credentials.token(token) is None
    assert machine.node.credentials.token(other), "which is no business of ours"


async def test_a_node_that_is_away_is_left_without_a_farewell(
    hass: HomeAssistant, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await add(hass, machine)
    await machine.stop()
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert "was not told" in caplog.text
    assert entry.data["token"] not in caplog.text
    await machine.start()


async def test_a_node_that_comes_back_is_met_again_and_said_once(
    hass: HomeAssistant, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await add(hass, machine)
    watch = await until_met(hass, machine)
    assert _nodes(hass) == "1 / 1"
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert (device.configuration_url, device.sw_version) == (machine.url, machine.node.version)
    await machine.stop()
    await until(watch, lambda: not watch.connected)
    assert _nodes(hass) == "0 / 1"
    await machine.start()
    watch.look()
    await until_met(hass, machine)
    assert caplog.text.count("The node Workshop is there again") == 1


async def test_a_revoked_token_asks_for_a_code_once(hass: HomeAssistant, machine: Machine) -> None:
    token = machine.token()
    entries = [await add(hass, machine, name, token=token) for name in ("bench", "door")]
    watch = await until_met(hass, machine)
    await machine.node.credentials.take_over()
    await asyncio.to_thread(machine.node.credentials.remove_token, machine.access(token).client)
    await machine.node.credentials.take_over()
    await until(watch, lambda: isinstance(watch.error, Unpaired))
    hass.data[SHARED].nodes.ask_for_code(machine.node.id)
    await hass.async_block_till_done()
    flows = [flow for flow in hass.config_entries.flow.async_progress() if flow["context"]["source"] == SOURCE_REAUTH]
    assert [flow["context"]["entry_id"] for flow in flows] == [entries[0].entry_id]
    diagnostics = await async_get_config_entry_diagnostics(hass, entries[0])
    assert (diagnostics["node"]["failed"], diagnostics["node"]["reason"]["cause"]) == ("token", "unpaired")


async def test_diagnostics_tell_how_far_one_comes(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    await until_met(hass, machine)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["source"]["token"] == "**REDACTED**"
    assert entry.data["token"] not in str(diagnostics)
    node = diagnostics["node"]
    assert (node["reached"], node["failed"]) == (["dns", "tcp", "node", "token", "camera"], None)
    assert (node["connected"], node["version"]) == (True, machine.node.version)
    assert {camera["id"] for camera in node["cameras"]} == {"bench", "door"}
    await machine.stop()
    node = (await async_get_config_entry_diagnostics(hass, entry))["node"]
    assert (node["reached"], node["failed"], node["reason"]["cause"]) == (["dns"], "tcp", "refused")
    await machine.start()


# --- where it is ------------------------------------------------------------------------------------------------------


async def test_a_node_that_moved_is_followed_after_its_proof(hass: HomeAssistant, machine: Machine) -> None:
    token = machine.token()
    entries = [await add(hass, machine, name, token=token) for name in ("bench", "door")]
    watch = await until_met(hass, machine)
    shared = hass.data[SHARED].nodes
    elsewhere = f"http://localhost:{machine.config.port}"
    assert not await shared.moved(machine.node.id, [elsewhere]), "it is where it was"
    await machine.stop()
    await until(watch, lambda: not watch.connected)
    old = machine.url
    machine.change(port=0)
    await machine.start()
    assert await shared.moved(machine.node.id, ["http://127.0.0.1:9", machine.url])
    await hass.async_block_till_done()
    assert machine.url != old
    assert {entry.data["url"] for entry in entries} == {machine.url}
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}
    await until_met(hass, machine)


async def test_a_node_that_said_where_it_goes_before_we_missed_it_is_followed(
    hass: HomeAssistant, machine: Machine
) -> None:
    entry = await add(hass, machine)
    watch = await until_met(hass, machine)
    assert not await hass.data[SHARED].nodes.moved(machine.node.id, [f"http://127.0.0.1:{machine.free_port()}"])
    moved = asyncio.Event()

    @callback
    def look(*_: object) -> None:
        if entry.data["url"] == machine.url:
            moved.set()

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, look)
    await machine.stop()
    await machine.start()
    async with asyncio.timeout(20):
        await moved.wait()
    await hass.async_block_till_done()
    assert watch_of(hass, machine) is not watch
    await until_met(hass, machine)


async def test_nobody_else_is_followed_or_told_the_token(
    hass: HomeAssistant, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await add(hass, machine)
    watch = await until_met(hass, machine)
    await machine.stop()
    await until(watch, lambda: not watch.connected)
    thief = Machine(tmp_path / "thief", cameras=cameras("bench"))
    await thief.start()
    heard: list[str] = []
    monkeypatch.setattr(thief.node.credentials, "token", heard.append)
    try:
        assert not await hass.data[SHARED].nodes.moved(machine.node.id, [thief.url])
        assert (entry.data["url"], heard) == (machine.url, [])
    finally:
        await thief.stop()
        await machine.start()


async def test_an_unknown_node_is_not_followed(hass: HomeAssistant, set_up: SetUp) -> None:
    await set_up()
    assert not await hass.data[SHARED].nodes.moved("a" * 32, ["http://127.0.0.1:9"])


async def test_a_node_that_is_said_to_be_where_it_was_is_tried_at_once(hass: HomeAssistant, machine: Machine) -> None:
    await add(hass, machine)
    watch = await until_met(hass, machine)
    await machine.stop()
    await until(watch, lambda: not watch.connected)
    await machine.start()
    assert not await hass.data[SHARED].nodes.moved(machine.node.id, [machine.url])
    await until_met(hass, machine)


# --- announcements ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def post(
    hass: HomeAssistant, set_up: SetUp, hass_client: Any, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> Callable[..., Any]:
    """Announce the node, from this machine as if it were another one."""
    await set_up(title="Some other")
    previews(hass)
    client: Client = await hass_client()

    async def reachable(addresses: Any) -> list[str]:
        return [address for address in dict.fromkeys(addresses) if address != "192.0.2.1"]

    monkeypatch.setattr("custom_components.tripod.node_discovery.reachable", reachable)

    async def post(**more: Any) -> tuple[int, dict[str, Any]]:
        said = {"id": machine.node.id, "name": "Workshop", "protocol": 1, "port": machine.config.port, "tls": False}
        answer = await client.post("/api/tripod/nodes", json={**said, "addresses": ["192.0.2.1"], **more})
        return answer.status, await answer.json()

    return post


async def test_a_node_that_announces_itself_is_offered(hass: HomeAssistant, machine: Machine, post: Any) -> None:
    assert await post() == (200, {"state": "offered"})
    assert await post(name="Another name") == (200, {"state": "offered"})
    assert await post(id="f" * 32) == (502, {"cause": "not_a_node", "message": post_message(machine)})
    await hass.async_block_till_done()
    assert offers(hass) == {machine.node.id}
    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["step_id"] == "node_code"
    assert await post(port=9) == (502, {"cause": "refused", "message": "The host refused the connection: 127.0.0.1"})


def post_message(machine: Machine) -> str:
    """Return what is said of a node that is another one."""
    return f"This is not a Tripod node: {machine.url}"


async def test_a_known_node_and_an_ignored_one(hass: HomeAssistant, machine: Machine, post: Any) -> None:
    ignored = MockConfigEntry(domain=DOMAIN, unique_id=machine.node.id, source=SOURCE_IGNORE)
    ignored.add_to_hass(hass)
    assert await post() == (200, {"state": "ignored"})
    await hass.config_entries.async_remove(ignored.entry_id)
    entry = await add(hass, machine)
    watch = await until_met(hass, machine)
    assert await post() == (200, {"state": "known"})
    await machine.stop()
    await until(watch, lambda: not watch.connected)
    machine.change(port=0)
    await machine.start()
    assert await post() == (200, {"state": "moved"})
    assert entry.data["url"] == machine.url
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    "more",
    [
        {"id": "short"},
        {"port": 0},
        {"port": "8089"},
        {"name": None},
        {"addresses": ["x"] * 9},
        {"addresses": ["x" * 65]},
        {"name": "x" * 5000},
    ],
)
async def test_what_is_no_announcement(post: Any, more: dict[str, Any]) -> None:
    status, answer = await post(**more)
    assert (status, answer["cause"]) == (400, "invalid_request")


async def test_addresses_of_this_machine_and_of_its_cloud_are_not_asked() -> None:
    inward = ["127.0.0.1", "::1", "169.254.169.254", "fe80::1", "::", "224.0.0.1", "::ffff:127.0.0.1", "pi.local"]
    assert await nodes.reachable([*inward, "192.168.1.7", "fd00::7", "192.168.1.7", ""]) == ["192.168.1.7", "fd00::7"]


async def test_an_announcement_from_this_machine_alone_is_refused(
    hass: HomeAssistant, set_up: SetUp, hass_client: Any
) -> None:
    await set_up()
    client = await hass_client()
    said = {"id": "a" * 32, "name": "Workshop", "port": 8089, "addresses": ["169.254.169.254", "127.0.0.1"]}
    answer = await client.post("/api/tripod/nodes", json=said)
    assert (answer.status, (await answer.json())["cause"]) == (400, "address_not_allowed")


async def test_announcements_need_a_token_and_are_not_taken_without_end(
    hass: HomeAssistant, hass_client_no_auth: Any, post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = await hass_client_no_auth()
    assert (await stranger.post("/api/tripod/nodes", json={})).status == 401
    for _ in range(node_views.PER_MINUTE):
        assert (await post(id="short"))[0] == 400
    assert (await post())[0] == 429


async def test_a_line_in_the_configuration_is_enough_for_announcements(hass: HomeAssistant) -> None:
    from homeassistant.setup import async_setup_component  # noqa: PLC0415 - only here

    assert await async_setup_component(hass, DOMAIN, {DOMAIN: None})
    assert SHARED in hass.data
