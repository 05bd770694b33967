"""The options about what is kept, tried on real disks."""

import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.tripod.const import CONF_STORAGE
from custom_components.tripod.engine.archive import Kind
from custom_components.tripod.settings import MIB
from custom_components.tripod.shared import SHARED
from tests.volumes import needs_root, tmpfs

from .conftest import SetUp
from .dialogs import change_options
from .test_translations import EN

NONE = {"max_age": 0, "max_count": 0, "max_size": 0}

FORM: dict[str, Any] = {"floor": 16, "max_size": 0, "total_max_size": 0, **{kind.value: NONE for kind in Kind}}


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """Set up a camera."""
    return await set_up()


async def _change(hass: HomeAssistant, entry: MockConfigEntry, **given: Any) -> Any:
    form = await change_options(hass, entry, "storage")
    result = await hass.config_entries.options.async_configure(form["flow_id"], {**FORM, **given})
    await hass.async_block_till_done()
    return result


def _shown(form: Any) -> dict[str, Any]:
    return {key.schema: key.description["suggested_value"] for key in form["data_schema"].schema if key.description}


def _named(texts: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", json.dumps(texts)))


async def test_the_menu_offers_all_parts(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    assert menu["menu_options"] == ["behaviour", "storage", "mqtt"]


async def test_limits_are_taken_over_by_the_running_camera(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    camera, pipeline = entry.runtime_data.camera, entry.runtime_data.pipeline
    result = await _change(
        hass, entry, floor=32, max_size=500, total_max_size=900, recordings={**NONE, "max_age": 7, "max_count": 20}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.runtime_data.pipeline is pipeline, "limits need no restart"
    assert camera.archive.floor == 32 * MIB
    assert camera._retention.max_bytes == 500 * MIB
    limits = camera._retention.of(Kind.RECORDING)
    assert (limits.max_age_days, limits.max_count, limits.max_bytes) == (7, 20, 0)
    assert hass.data[SHARED].storage.max_size == 900
    shown = _shown(await change_options(hass, entry, "storage"))
    assert (shown["floor"], shown["max_size"], shown["total_max_size"]) == (32, 500, 900)


async def test_neither_part_forgets_the_other(hass: HomeAssistant, set_up: SetUp) -> None:
    entry = await set_up(mjpeg_rate=3)
    await _change(hass, entry, max_size=500)
    assert entry.options["mjpeg_rate"] == 3
    form = await change_options(hass, entry, "behaviour")
    await hass.config_entries.options.async_configure(form["flow_id"], {**_shown(form), "mjpeg_rate": 4})
    await hass.async_block_till_done()
    assert entry.options["mjpeg_rate"] == 4
    assert entry.options[CONF_STORAGE]["max_size"] == 500


async def test_another_folder_is_used_from_then_on(hass: HomeAssistant, entry: MockConfigEntry, media: Path) -> None:
    media.mkdir(exist_ok=True)
    result = await _change(hass, entry, folder=str(media / "cameras"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    camera = entry.runtime_data.camera
    await camera.ready()
    assert camera.archive.root == media / "cameras" / "yard"
    assert camera.archive.root.is_dir()


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"folder": "/somewhere/else"}, {"folder": "folder_not_allowed"}),
        ({"folder": "../else"}, {"folder": "folder_not_allowed"}),
        ({"folder": "no/such/folder"}, {"folder": "archive_missing"}),
        ({"floor": 2**30}, {"floor": "low_space"}),
    ],
)
async def test_what_cannot_be_is_told_and_can_be_mended(
    hass: HomeAssistant, entry: MockConfigEntry, media: Path, given: dict[str, Any], errors: dict[str, str]
) -> None:
    result = await _change(hass, entry, **given)
    assert result["errors"] == errors
    assert _shown(result).items() >= given.items()
    assert result["description_placeholders"].keys() >= _named(EN["options"]["step"]["storage"])
    assert result["description_placeholders"].keys() >= _named(EN["options"]["error"][next(iter(errors.values()))])
    assert result["description_placeholders"]["folder"] == str(media / "tripod")
    result = await hass.config_entries.options.async_configure(result["flow_id"], FORM)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@needs_root
async def test_a_disk_that_cannot_be_written_is_told(hass: HomeAssistant, entry: MockConfigEntry, media: Path) -> None:
    with tmpfs(media / "usb") as disk:
        disk.make_read_only()
        assert (await _change(hass, entry, folder=str(disk.path)))["errors"] == {"folder": "not_writable"}
        disk.make_writable()
        disk.fill(leave=8 * MIB)
        result = await _change(hass, entry, folder=str(disk.path))
        assert result["errors"] == {"floor": "low_space"}
        assert result["description_placeholders"]["floor"] == "16 MiB"


async def test_limits_can_be_changed_while_the_disk_is_away(hass: HomeAssistant, set_up: SetUp, media: Path) -> None:
    entry = await set_up(storage={"folder": str(media / "usb/cameras")})
    result = await _change(hass, entry, folder=str(media / "usb/cameras"), floor=1024, max_size=500)
    assert result["type"] is FlowResultType.CREATE_ENTRY
