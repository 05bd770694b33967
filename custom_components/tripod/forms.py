"""The forms in which users describe their cameras, and what becomes of the answers."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.const import CONF_NAME, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio

from .const import (
    CONF_CODEC,
    CONF_DASHBOARD_VIDEO,
    CONF_DAY_NIGHT,
    CONF_H264_BIT_RATE,
    CONF_H264_WIDTH,
    CONF_LINGER,
    CONF_MAX_VIEWERS,
    CONF_MJPEG_QUALITY,
    CONF_MJPEG_RATE,
    CONF_NIGHT_ENTITY,
    CONF_PRE_ROLL,
    CONF_PREFIX,
    CONF_RING,
    CONF_STALL_LIMIT,
    CONF_START,
    CONF_TAKE_OVER,
    CONF_WARM_UP,
)
from .engine.options import Options, Start
from .engine.sources import Source, load
from .settings import DashboardVideo, DayNight, stored

ADVANCED: Final = "advanced"
"""The section of a form that few need."""

CONF_CAMERA: Final = "camera"
CONF_PROFILE: Final = "profile"

EXPERT: Final = "expert"
"""The choice to set everything oneself, among the profiles."""

PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="new-password"))

TEXT = TextSelector()


def number(low: float, high: float, unit: str | None = None, step: float = 1) -> probatio.All[Any]:
    """Return a number field; whole numbers where the step is 1."""
    config = NumberSelectorConfig(min=low, max=high, step=step, mode=NumberSelectorMode.BOX)
    if unit:
        config["unit_of_measurement"] = unit
    return probatio.All(NumberSelector(config), probatio.Coerce(int if step == 1 else float))


def choice(*options: str, key: str, custom: bool = False) -> SelectSelector:
    """Return a field that offers some values, translated under `key`."""
    mode = SelectSelectorMode.DROPDOWN
    return SelectSelector(
        SelectSelectorConfig(options=list(options), translation_key=key, custom_value=custom, mode=mode)
    )


def selection(
    options: Iterable[tuple[str, str]], *own: str, key: str = "", listed: bool = True, custom: bool = False
) -> SelectSelector:
    """Return a field that offers pairs of value and label, then values of its `own`, translated under `key`.

    The options are `listed`, or drop down and may be `custom`.
    """
    pairs = [*options, *((value, value) for value in own)]
    config = SelectSelectorConfig(
        options=[SelectOptionDict(value=value, label=label) for value, label in pairs],
        custom_value=custom,
        mode=SelectSelectorMode.LIST if listed else SelectSelectorMode.DROPDOWN,
    )
    if key:
        config["translation_key"] = key
    return SelectSelector(config)


_SIZE: dict[Any, Any] = {
    probatio.Required("width", default=1280): number(64, 16384, "px"),
    probatio.Required("height", default=720): number(64, 16384, "px"),
}

_FIELDS: dict[str, dict[Any, Any]] = {
    "test_pattern": {
        probatio.Required("format", default="h264"): choice("h264", "mjpeg", key="format"),
    },
    "url": {
        probatio.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        probatio.Optional(CONF_USERNAME): TextSelector(TextSelectorConfig(autocomplete="off")),
        probatio.Optional(probatio.Secret(CONF_PASSWORD)): PASSWORD,
    },
    "motion_in_ocean": {
        probatio.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        probatio.Optional(probatio.Secret(CONF_TOKEN)): PASSWORD,
    },
    "v4l2": {
        probatio.Required("device", default="/dev/video0"): TEXT,
        probatio.Required("input_format", default="mjpeg"): choice(
            "mjpeg", "h264", "yuyv422", "nv12", key="input_format", custom=True
        ),
        **_SIZE,
        probatio.Required("rate", default=30): number(1, 240, "fps"),
    },
}

_ADVANCED: dict[str, dict[Any, Any]] = {
    "test_pattern": {**_SIZE, probatio.Required("rate", default=25): number(1, 60, "fps")},
    "url": {
        probatio.Required("verify_tls", default=True): BooleanSelector(),
        probatio.Required("rtsp_transport", default="tcp"): choice("tcp", "udp", key="rtsp_transport"),
        probatio.Required("still_interval", default=1): number(0.1, 3600, "s", step=0.1),
    },
    "motion_in_ocean": {probatio.Required("verify_tls", default=True): BooleanSelector()},
    "v4l2": {probatio.Required("quality", default=85): number(1, 100, "%")},
}

CREDENTIALS = probatio.Schema(
    {
        probatio.Optional(CONF_USERNAME): TEXT,
        probatio.Required(probatio.Secret(CONF_PASSWORD)): PASSWORD,
    }
)

TOKEN = probatio.Schema({probatio.Required(probatio.Secret(CONF_TOKEN)): PASSWORD})

KINDS: Final = ["v4l2", "csi", "node", "url", "motion_in_ocean", "bring", "test_pattern"]
"""The kinds of source, and cameras of all kinds that are set up elsewhere, in the order of the menu."""

DESCRIBED: Final = list(_FIELDS)
"""The kinds that a form may describe from scratch, without looking at what is there."""


def camera(kind: str, *, named: bool) -> probatio.Schema:
    """Return the form for a source of `kind`, with the camera's name on it if it is `named` here."""
    name = {probatio.Required(CONF_NAME): TEXT} if named else {}
    advanced = section(probatio.Schema(_ADVANCED[kind]), {"collapsed": True})
    return probatio.Schema({**name, **_FIELDS[kind], probatio.Optional(ADVANCED): advanced})


def answers(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a filled-in form would hold for a source as it is stored; secrets are left out."""
    shown = {key: value for key, value in source.items() if key not in (CONF_PASSWORD, CONF_TOKEN)}
    return {**shown, ADVANCED: shown}


def source(kind: str, given: Mapping[str, Any]) -> Source:
    """Return the source that a filled-in form describes; raises `InvalidSource`."""
    fields = {**given, **given.get(ADVANCED, {})}
    return load({"kind": kind, **{key: value for key, value in fields.items() if key not in (CONF_NAME, ADVANCED)}})


def kept_secret(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored password where the same user was left without one in a form, which does not show it.

    Likewise a token for the same address.
    """
    if known.get(CONF_TOKEN) and known[CONF_URL] == given[CONF_URL].rstrip("/"):
        return {CONF_TOKEN: known[CONF_TOKEN]}
    if known.get(CONF_PASSWORD) and known[CONF_USERNAME] == given.get(CONF_USERNAME, ""):
        return {CONF_PASSWORD: known[CONF_PASSWORD]}
    return {}


def with_credentials(known: Mapping[str, Any], given: Mapping[str, Any]) -> Source:
    """Return a stored source with another user name and password, or another token."""
    fields = {**({CONF_USERNAME: ""} if CONF_USERNAME in known else {}), **given}
    return load({**{key: value for key, value in known.items() if key != CONF_CODEC}, **fields})


def identity(source: Source) -> dict[str, Any]:
    """Return what no two cameras may have in common; nothing for a test pattern, of which there may be many."""
    if source.kind == "test_pattern":
        return {}
    return {key: value for key, value in source.as_dict().items() if key in ("kind", CONF_URL, "device", "camera")}


OPTIONS = probatio.Schema(
    {
        probatio.Required(CONF_START): choice(*Start, key="start"),
        probatio.Required(CONF_DASHBOARD_VIDEO): choice(*DashboardVideo, key="dashboard_video"),
        probatio.Required(CONF_STALL_LIMIT): number(2, 600, "s"),
        probatio.Required(CONF_LINGER): number(0, 3600, "s"),
        probatio.Required(CONF_WARM_UP): number(0, 10, "s", step=0.5),
        probatio.Required(CONF_PRE_ROLL): number(0, 120, "s"),
        probatio.Required(CONF_RING): number(2, 1024, "MiB"),
        probatio.Required(CONF_MJPEG_RATE): number(0.1, 60, "fps", step=0.1),
        probatio.Required(CONF_MJPEG_QUALITY): number(1, 100, "%"),
        probatio.Required(CONF_H264_BIT_RATE): number(100, 50_000, "kbit/s"),
        probatio.Required(CONF_H264_WIDTH): number(0, 7680, "px"),
        probatio.Required(CONF_MAX_VIEWERS): number(1, 10_000),
    }
)

DAY_NIGHT = probatio.Schema(
    {
        probatio.Required(CONF_DAY_NIGHT): choice(*DayNight, key="day_night"),
        probatio.Optional(CONF_NIGHT_ENTITY): EntitySelector(
            EntitySelectorConfig(domain=["binary_sensor", "input_boolean", "schedule", "switch"])
        ),
    }
)
"""What is asked about a camera whose exposure can be turned, besides."""

NODE = probatio.Schema({probatio.Required(CONF_TAKE_OVER, default=True): BooleanSelector()})
"""What is asked about a camera of a node, besides."""

CONF_ENABLED: Final = "enabled"

MQTT = probatio.Schema(
    {
        probatio.Required(CONF_ENABLED): BooleanSelector(),
        probatio.Required(CONF_PREFIX): TEXT,
    }
)
"""The form for control by MQTT."""

_TURNABLE = ("csi", "node", "v4l2")
"""The kinds of source that may have controls."""

DEFAULT_OPTIONS: Final = {
    **stored(Options()),
    CONF_DASHBOARD_VIDEO: DashboardVideo.AUTO.value,
    CONF_DAY_NIGHT: DayNight.OFF.value,
}


def options(kind: str) -> probatio.Schema:
    """Return the form for the options of a camera of `kind`."""
    asked = OPTIONS.extend(NODE.schema) if kind == "node" else OPTIONS
    return asked.extend(DAY_NIGHT.schema) if kind in _TURNABLE else asked
