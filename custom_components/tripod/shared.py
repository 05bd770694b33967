"""What all cameras of this Home Assistant have in common."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .data import TripodData
from .engine.ffmpeg import Ffmpeg
from .engine.keeper import Keeper
from .engine.sources import Tools
from .engine.timelapse import RenderQueue
from .engine.viewers import Client

if TYPE_CHECKING:
    from .links import Links
    from .listener import Listener
    from .nodes import Nodes
    from .storage import Storage


class DashboardStream(Protocol):
    """HLS that a dialog or card of a dashboard plays."""

    camera: TripodData

    @property
    def client(self) -> Client:
        """On whose behalf the players come."""

    def awake(self) -> None:
        """Note that a player asked for something."""


@dataclass(slots=True)
class Shared:
    """The parts that outlive a camera."""

    storage: Storage
    links: Links
    listener: Listener
    keeper: Keeper
    """What prunes all archives."""
    nodes: Nodes
    renders: RenderQueue
    """All timelapses that become videos, one after the other."""
    streams: dict[str, DashboardStream] = field(default_factory=dict)
    """The dashboards' HLS streams under way, by token."""
    warned_of_core: bool = False
    """Whether it was said that core's streams are not as expected."""


SHARED: HassKey[Shared] = HassKey(DOMAIN)


@singleton(f"{DOMAIN}_tools")
def tools(hass: HomeAssistant) -> Tools:
    """Return what captures and probes work with."""
    return Tools(ffmpeg=Ffmpeg(get_ffmpeg_manager(hass).binary))
