"""How tests walk through the dialogs."""

import asyncio
import re
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from custom_components.tripod.const import DOMAIN

SMALL = {"width": 320, "height": 240, "rate": 10}


async def choose(hass: HomeAssistant, kind: str) -> Any:
    """Begin to add a camera and choose its kind."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    return await settled(
        hass, await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": kind})
    )


async def fill_in(hass: HomeAssistant, result: Any, given: dict[str, Any]) -> Any:
    """Send a form and wait until what it starts is done."""
    return await settled(hass, await hass.config_entries.flow.async_configure(result["flow_id"], given))


async def settled(hass: HomeAssistant, result: Any) -> Any:
    """Wait until a dialog's work is done, and return the step that follows."""
    async with asyncio.timeout(40):
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            assert result["progress_action"] == result["step_id"]
            await hass.async_block_till_done()
            result = await hass.config_entries.flow.async_configure(result["flow_id"])
    await hass.async_block_till_done()
    return result


def suggested(result: Any) -> dict[str, Any]:
    """Return what a form is filled in with: what was given before, else its defaults."""
    values = {}
    for key in result["data_schema"].schema:
        name = str(getattr(key.schema, "schema", key.schema))
        if key.description:
            values[name] = key.description["suggested_value"]
        elif callable(key.default):
            values[name] = key.default()
    return values


def options(result: Any, field: str) -> dict[str, str]:
    """Return the choices of a field, value to label."""
    (selector,) = (value for key, value in result["data_schema"].schema.items() if key.schema == field)
    return {option["value"]: option["label"] for option in selector.config["options"]}


async def change(hass: HomeAssistant, entry: ConfigEntry) -> Any:
    """Begin to change a camera."""
    context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    return await settled(hass, await hass.config_entries.flow.async_init(DOMAIN, context=context))


async def change_options(hass: HomeAssistant, entry: ConfigEntry, what: str) -> Any:
    """Begin to change a part of a camera's options."""
    flows = hass.config_entries.options
    menu = await flows.async_init(entry.entry_id)
    return await flows.async_configure(menu["flow_id"], {"next_step_id": what})


def pictures(markdown: str) -> list[str]:
    """Return the addresses of the pictures in a text."""
    return re.findall(r"!\[\]\((.*?)\)", markdown)
