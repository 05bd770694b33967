"""The forms of a node and its cameras: where it is, the code that it shows, which camera."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ADDRESS, CONF_CODE
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import BooleanSelector, TextSelector, TextSelectorConfig
import probatio

from .engine.sources.node import PORT, CameraFacts, NodeAccess, NodeSource
from .forms import ADVANCED, CONF_CAMERA, TEXT, selection

_TYPED: Final = ("verify_tls", "fingerprint", "ca", "client_certificate", "client_key")
"""The fields of a `NodeAccess` that the user fills in as they are."""

NODE = probatio.Schema(
    {
        probatio.Required(CONF_ADDRESS): TEXT,
        probatio.Optional(ADVANCED): section(
            probatio.Schema(
                {
                    probatio.Required("verify_tls", default=True): BooleanSelector(),
                    **{probatio.Optional(name): TEXT for name in _TYPED if name != "verify_tls"},
                }
            ),
            {"collapsed": True},
        ),
    }
)

CODE = probatio.Schema({probatio.Required(CONF_CODE): TextSelector(TextSelectorConfig(autocomplete="one-time-code"))})


def cameras(found: Iterable[CameraFacts]) -> probatio.Schema:
    """Return the form to choose one of a node's cameras."""
    options = [(camera.id, camera.title) for camera in found]
    return probatio.Schema({probatio.Required(CONF_CAMERA, default=options[0][0]): selection(options)})


def ways(given: Mapping[str, Any]) -> list[NodeAccess]:
    """Return how a node may be reached that a filled-in form describes, the likeliest first; raises `InvalidSource`."""
    typed = {name: value for name, value in given.get(ADVANCED, {}).items() if name in _TYPED}
    return [NodeAccess(url=url, **typed) for url in _urls(given[CONF_ADDRESS].strip())]


def _urls(address: str) -> list[str]:
    """Return what may be meant: people leave out the scheme, and the port."""
    if "://" not in address:
        with suppress(ValueError):
            address = f"[{address}]" if isinstance(ip_address(address), IPv6Address) else address
        address += f":{PORT}" if _lacks_port(address) else ""
        return [f"http://{address}", f"https://{address}"]
    scheme, _, place = address.partition("://")
    place = place.rstrip("/")
    return [address, f"{scheme}://{place}:{PORT}"] if "/" not in place and _lacks_port(place) else [address]


def _lacks_port(place: str) -> bool:
    return not place.rpartition("]")[2].partition(":")[2]


def answers(access: NodeAccess) -> dict[str, Any]:
    """Return what the form holds for a node that is known."""
    return {
        CONF_ADDRESS: access.url,
        ADVANCED: {name: value for name in _TYPED if (value := getattr(access, name)) != ""},
    }


def access_of(entry: ConfigEntry) -> NodeAccess:
    """Return how the node of a camera is reached; raises `InvalidSource`."""
    return NodeAccess(
        **{field.name: entry.data[field.name] for field in fields(NodeAccess) if field.name in entry.data}
    )


def stored(access: NodeAccess) -> dict[str, Any]:
    """Return what every camera of a node stores of the way to it."""
    return asdict(access)


def source(access: NodeAccess, camera: str) -> NodeSource:
    """Return a camera of a node, of which a probe finds out the rest; raises `InvalidSource`."""
    return NodeSource(**stored(access), camera=camera)


def identity(node: str, camera: str) -> str:
    """Return the unique id of a camera of a node."""
    return f"{node}:{camera}"
