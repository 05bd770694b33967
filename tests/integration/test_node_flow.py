"""Adding, changing and pairing again cameras of a node, which is a real one."""

from collections.abc import AsyncIterator
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
import ssl
from typing import Any

from homeassistant.config_entries import (
    SOURCE_DISCOVERY,
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    SOURCE_ZEROCONF,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod import node_discovery, node_forms
from custom_components.tripod.const import DOMAIN
from custom_components.tripod.engine.errors import InvalidSource, Refused
from custom_components.tripod.engine.sources import look
from custom_components.tripod.engine.sources.node import NodeClient, NodeFacts
from tests.servers.certificate import write_certificates

from .conftest import Client
from .dialogs import change, choose, fill_in, options, pictures, suggested
from .node import Machine, add, cameras

WRONG = "2222-2222"


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "MEASURE", 0.2)


@pytest.fixture
async def machine(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[Machine]:
    """Run a node."""
    machine = Machine(tmp_path / "machine")
    await machine.start()
    yield machine
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await machine.stop()


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node of the test be found on this machine, as others are on theirs."""

    async def reachable(addresses: Any) -> list[str]:
        return list(dict.fromkeys(addresses))

    monkeypatch.setattr(node_discovery, "reachable", reachable)


def record(machine: Machine, **more: Any) -> ZeroconfServiceInfo:
    """Return what zeroconf says of a node."""
    address = ip_address(more.pop("host", "127.0.0.1"))
    properties = {"id": machine.node.id, "protocol": "1", "name": "Workshop", "tls": "0", **more}
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=machine.config.port,
        hostname="tripod.local.",
        type="_tripod._tcp.local.",
        name="Workshop._tripod._tcp.local.",
        properties=properties,
    )


async def found(hass: HomeAssistant, info: ZeroconfServiceInfo) -> Any:
    """Let zeroconf find a node."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info)


async def finish(hass: HomeAssistant, result: Any) -> Any:
    """Confirm what the live check showed."""
    assert result["step_id"] == "confirm", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    return result


async def add_by_address(hass: HomeAssistant, machine: Machine) -> Any:
    """Type the address of a node, and go on to its code."""
    result = await fill_in(hass, await choose(hass, "node"), {"address": machine.url})
    assert result["step_id"] == "node_code", result
    return result


async def test_a_node_is_added_by_address_and_code(hass: HomeAssistant, machine: Machine) -> None:
    result = await choose(hass, "node")
    result = await fill_in(hass, result, {"address": f" 127.0.0.1:{machine.config.port} "})
    assert result["step_id"] == "node_code"
    assert result["description_placeholders"] == {"name": "Workshop", "address": machine.url}
    result = await fill_in(hass, result, {"code": machine.code().lower()})
    result = await finish(hass, result)
    assert result["title"] == "Bench"
    entry = result["result"]
    assert entry.unique_id == f"{machine.node.id}:bench"
    assert {key: entry.data[key] for key in ("kind", "url", "camera", "codec", "chief")} == {
        "kind": "node",
        "url": machine.url,
        "camera": "bench",
        "codec": "mjpeg",
        "chief": "frames",
    }
    [token] = machine.node.credentials.tokens
    assert token.name == hass.config.location_name
    assert entry.data["token"] not in str(result.get("description_placeholders"))
    assert hass.states.get("camera.bench").attributes["model_name"] == "Node camera"


async def test_a_wrong_code_is_told_and_the_right_one_works_then(hass: HomeAssistant, machine: Machine) -> None:
    result = await add_by_address(hass, machine)
    code = machine.code()
    result = await fill_in(hass, result, {"code": WRONG})
    assert (result["step_id"], result["errors"]) == ("node_code", {"base": "wrong_code"})
    result = await fill_in(hass, result, {"code": code})
    await finish(hass, result)


async def test_too_many_wrong_codes(hass: HomeAssistant, machine: Machine) -> None:
    result = await add_by_address(hass, machine)
    for _ in range(5):
        result = await fill_in(hass, result, {"code": WRONG})
    result = await fill_in(hass, result, {"code": WRONG})
    assert result["errors"] == {"base": "pairing_paused"}
    assert int(result["description_placeholders"]["seconds"]) <= 30


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("127.0.0.1:9", "refused"),
        ("169.254.169.254", "address_not_allowed"),
        ("http://user@pi", "invalid_source"),
        ("rtsp://pi/", "invalid_source"),
    ],
)
async def test_an_address_without_a_node(hass: HomeAssistant, address: str, cause: str) -> None:
    result = await fill_in(hass, await choose(hass, "node"), {"address": address})
    assert (result["step_id"], result["errors"]) == ("node", {"base": cause})
    assert suggested(result)["address"] == address


async def test_a_dialog_that_is_given_up_gives_its_pairing_back(hass: HomeAssistant, machine: Machine) -> None:
    result = await fill_in(hass, await add_by_address(hass, machine), {"code": machine.code()})
    assert result["step_id"] == "confirm"
    credentials = machine.node.credentials
    assert len(credentials.tokens) == 1
    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not credentials.tokens


async def test_one_of_several_cameras_is_chosen_by_its_picture(
    hass: HomeAssistant, machine: Machine, browser: Client
) -> None:
    await machine.stop()
    machine.change(cameras=cameras("bench", "door"))
    await machine.start()
    result = await fill_in(hass, await add_by_address(hass, machine), {"code": machine.code()})
    assert result["step_id"] == "node_camera"
    assert options(result, "camera") == {"bench": "Bench", "door": "Door"}
    for address in pictures(result["description_placeholders"]["cameras"]):
        assert (await (await browser.get(address)).read()).startswith(b"\xff\xd8")
    result = await finish(hass, await fill_in(hass, result, {"camera": "door"}))
    assert result["result"].unique_id == f"{machine.node.id}:door"


async def test_a_camera_that_fails_says_so_where_it_was_chosen(hass: HomeAssistant, machine: Machine) -> None:
    result = await fill_in(hass, await add_by_address(hass, machine), {"code": machine.code()})
    assert result["step_id"] == "confirm"
    hass.config_entries.flow.async_abort(result["flow_id"])
    await machine.node.cameras["bench"].stop()
    result = await fill_in(hass, await add_by_address(hass, machine), {"code": machine.code()})
    assert (result["step_id"], result["errors"]) == ("node_camera", {"base": "stopped"})
    await machine.node.cameras["bench"].start()
    await finish(hass, await fill_in(hass, result, {"camera": "bench"}))


async def test_a_further_camera_needs_no_code(hass: HomeAssistant, machine: Machine) -> None:
    await machine.stop()
    machine.change(cameras=cameras("bench", "door"))
    await machine.start()
    first = await add(hass, machine)
    result = await fill_in(hass, await choose(hass, "node"), {"address": machine.url})
    result = await finish(hass, result)
    second = result["result"]
    assert second.unique_id == f"{machine.node.id}:door"
    assert second.data["token"] == first.data["token"]
    result = await fill_in(hass, await choose(hass, "node"), {"address": machine.url})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_further_camera")


async def test_a_known_node_that_goes_away_in_the_middle(
    hass: HomeAssistant, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(hass, machine)

    async def gone(_: NodeClient) -> NodeFacts:
        raise Refused("127.0.0.1")

    monkeypatch.setattr(NodeClient, "facts", gone)
    result = await fill_in(hass, await choose(hass, "node"), {"address": machine.url})
    assert (result["step_id"], result["errors"]) == ("node", {"base": "refused"})


async def test_a_node_that_forgot_us_asks_for_its_code_when_it_is_added_again(
    hass: HomeAssistant, machine: Machine
) -> None:
    await machine.stop()
    machine.change(cameras=cameras("bench", "door"))
    await machine.start()
    entry = await add(hass, machine, token="x" * 43)
    result = await fill_in(hass, await choose(hass, "node"), {"address": machine.url})
    assert result["step_id"] == "node_code"
    await finish(hass, await fill_in(hass, result, {"code": machine.code()}))
    assert entry.data["token"] != "x" * 43, "the first camera is paired by that, too"


# --- found ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("near")
async def test_a_node_that_zeroconf_finds_needs_its_code_only(hass: HomeAssistant, machine: Machine) -> None:
    result = await found(hass, record(machine))
    assert result["step_id"] == "node_code"
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "Workshop"}
    assert flow["context"]["unique_id"] == machine.node.id
    again = await found(hass, record(machine, name="Renamed"))
    assert again["reason"] == "already_in_progress", "however it is called now"
    result = await finish(hass, await fill_in(hass, result, {"code": machine.code()}))
    assert result["result"].unique_id == f"{machine.node.id}:bench"
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.usefixtures("near")
async def test_an_offer_of_a_node_ends_when_it_is_added_by_hand(hass: HomeAssistant, machine: Machine) -> None:
    await found(hass, record(machine))
    result = await fill_in(hass, await add_by_address(hass, machine), {"code": machine.code()})
    await finish(hass, result)
    assert hass.config_entries.flow.async_progress() == []


@pytest.mark.usefixtures("near")
async def test_another_node_at_the_address_gets_no_code(hass: HomeAssistant, machine: Machine) -> None:
    result = await found(hass, record(machine, id="f" * 32))
    result = await fill_in(hass, result, {"code": machine.code()})
    assert result["errors"] == {"base": "not_a_node"}
    assert machine.node.credentials.tokens == ()


@pytest.mark.parametrize(
    "more", [{"id": "nonsense"}, {"id": None}, {}, {"host": "fe80::1"}, {"host": "169.254.7.7"}, {"host": "::1"}]
)
async def test_what_is_no_node_that_can_be_reached_is_not_offered(
    hass: HomeAssistant, machine: Machine, more: dict[str, Any]
) -> None:
    result = await found(hass, record(machine, **more))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_a_node")


async def test_an_address_of_the_network_is_offered(hass: HomeAssistant, machine: Machine) -> None:
    result = await found(hass, record(machine, host="fd00::7", tls="1", name=""))
    assert result["description_placeholders"]["address"] == f"https://[fd00::7]:{machine.config.port}"
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "fd00::7"}


@pytest.mark.usefixtures("near")
async def test_a_node_that_is_known_is_not_offered(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    for name in ("Workshop", "Renamed"):
        assert (await found(hass, record(machine, name=name)))["reason"] == "already_configured"
    assert entry.data["url"] == machine.url


@pytest.mark.usefixtures("near")
async def test_a_node_that_is_ignored_stays_ignored(hass: HomeAssistant, machine: Machine) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id=machine.node.id, source=SOURCE_IGNORE).add_to_hass(hass)
    result = await found(hass, record(machine))
    assert result["reason"] == "already_configured"


@pytest.mark.usefixtures("near")
async def test_a_node_with_its_own_certificate(hass: HomeAssistant, machine: Machine, tmp_path: Path) -> None:
    hass.loop.set_exception_handler(lambda *_: None)  # the node's side tells of a handshake that we break off
    await machine.stop()
    server = write_certificates(tmp_path).server
    fingerprint = sha256(ssl.PEM_cert_to_DER_cert(server.read_text().partition("-----BEGIN PRIV")[0])).hexdigest()
    machine.change(certificate=server, key=server)
    await machine.start()
    result = await found(hass, record(machine, tls="1"))
    result = await fill_in(hass, result, {"code": machine.code()})
    assert (result["step_id"], result["errors"]) == ("node", {"base": "tls"})
    address = f"https://127.0.0.1:{machine.config.port}"
    assert suggested(result)["address"] == address
    trusting = {"verify_tls": True, "fingerprint": fingerprint}
    result = await fill_in(hass, result, {"address": address, "advanced": trusting})
    assert result["step_id"] == "node_code"
    result = await finish(hass, await fill_in(hass, result, {"code": machine.code()}))
    assert result["data"]["fingerprint"] == fingerprint


async def test_a_camera_that_is_offered_is_shown_and_added(
    hass: HomeAssistant, machine: Machine, browser: Client
) -> None:
    await machine.stop()
    machine.change(cameras=cameras("bench", "door"))
    await machine.start()
    entry = await add(hass, machine)
    offer = {"node": machine.node.id, "camera": "door", "title": "Door", "name": "Workshop"}
    for flow in hass.config_entries.flow.async_progress():
        hass.config_entries.flow.async_abort(flow["flow_id"])
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_DISCOVERY}, data=offer)
    assert result["step_id"] == "node_offered"
    [picture] = pictures(result["description_placeholders"]["picture"])
    assert (await (await browser.get(picture)).read()).startswith(b"\xff\xd8")
    result = await finish(hass, await fill_in(hass, result, {}))
    assert (result["title"], result["data"]["token"]) == ("Door", entry.data["token"])


async def test_a_camera_of_a_node_that_is_gone_is_not_offered(hass: HomeAssistant) -> None:
    offer = {"node": "a" * 32, "camera": "door", "title": "Door", "name": "Workshop"}
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_DISCOVERY}, data=offer)
    assert result["reason"] == "not_a_node"


# --- changed ----------------------------------------------------------------------------------------------------------


async def test_a_new_code_pairs_all_cameras_of_the_node_again(hass: HomeAssistant, machine: Machine) -> None:
    await machine.stop()
    machine.change(cameras=cameras("bench", "door"))
    await machine.start()
    entries = [await add(hass, machine, name, token="x" * 43) for name in ("bench", "door")]
    entries[0].async_start_reauth(hass)
    await hass.async_block_till_done()
    [flow] = [each for each in hass.config_entries.flow.async_progress() if each["context"]["source"] == SOURCE_REAUTH]
    result = await fill_in(hass, flow, {"code": WRONG})
    assert result["errors"] == {"base": "wrong_code"}
    result = await fill_in(hass, flow, {"code": machine.code()})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    [token] = {entry.data["token"] for entry in entries}
    assert machine.node.credentials.token(token)
    await hass.async_block_till_done()
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}


async def test_a_node_that_was_set_up_anew_is_the_same_to_its_cameras(
    hass: HomeAssistant, machine: Machine, tmp_path: Path
) -> None:
    entry = await add(hass, machine)
    await machine.stop()
    machine.change(state=tmp_path / "new")
    await machine.start()
    result = await change(hass, entry)
    assert suggested(result)["address"] == machine.url
    result = await fill_in(hass, result, {"address": machine.url})
    assert result["step_id"] == "node_code"
    result = await fill_in(hass, result, {"code": machine.code()})
    result = await finish(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert entry.unique_id == f"{machine.node.id}:bench"
    assert entry.data["node"] == machine.node.id


async def test_pairing_again_with_a_node_that_has_other_cameras(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    await machine.stop()
    machine.change(cameras=cameras("door"))
    await machine.start()
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    [flow] = [each for each in hass.config_entries.flow.async_progress() if each["context"]["source"] == SOURCE_REAUTH]
    result = await fill_in(hass, flow, {"code": machine.code()})
    assert (result["step_id"], result["errors"]) == ("node_code", {"base": "no_such_camera"})


async def test_another_address_is_taken_over_by_all_cameras(hass: HomeAssistant, machine: Machine) -> None:
    await machine.stop()
    machine.change(cameras=cameras("bench", "door"))
    await machine.start()
    token = machine.token()
    entries = [await add(hass, machine, name, token=token) for name in ("bench", "door")]
    url = f"http://localhost:{machine.config.port}"
    result = await fill_in(hass, await change(hass, entries[0]), {"address": url})
    result = await finish(hass, result)
    assert result["reason"] == "reconfigure_successful"
    assert {entry.data["url"] for entry in entries} == {url}
    assert {entry.data["token"] for entry in entries} == {token}


async def test_a_camera_that_the_node_calls_by_another_name_now(hass: HomeAssistant, machine: Machine) -> None:
    entry = await add(hass, machine)
    await machine.stop()
    machine.change(cameras=cameras("table"))
    await machine.start()
    result = await fill_in(hass, await change(hass, entry), {"address": machine.url})
    assert result["step_id"] == "node_camera"
    result = await finish(hass, await fill_in(hass, result, {"camera": "table"}))
    assert (entry.data["camera"], entry.unique_id) == ("table", f"{machine.node.id}:table")


# --- what people type -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "urls"),
    [
        ("pi.local", ["http://pi.local:8089", "https://pi.local:8089"]),
        ("pi:9000", ["http://pi:9000", "https://pi:9000"]),
        ("fd00::7", ["http://[fd00::7]:8089", "https://[fd00::7]:8089"]),
        ("[fd00::7]:9000", ["http://[fd00::7]:9000", "https://[fd00::7]:9000"]),
        ("https://pi/", ["https://pi", "https://pi:8089"]),
        ("https://pi:443", ["https://pi:443"]),
        ("https://home/node", ["https://home/node"]),
    ],
)
def test_an_address_means_what_people_mean(address: str, urls: list[str]) -> None:
    assert [way.url for way in node_forms.ways({"address": address})] == urls


def test_a_fingerprint_that_is_none() -> None:
    with pytest.raises(InvalidSource):
        node_forms.ways({"address": "pi", "advanced": {"fingerprint": "12:34"}})
