"""The form that describes a standing timelapse, and the job that it describes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from homeassistant.const import CONF_NAME
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    DurationSelector,
    EntitySelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TimeSelector,
)
import probatio

from .engine.timelapse import Job, Sun
from .engine.timelapse.job import EVERY_DAY
from .forms import TEXT, choice, number

CONF_INTERVAL: Final = "interval"
CONF_SUN_MARGIN: Final = "sun_margin"
CONF_WEEKDAYS: Final = "weekdays"

WHEN: Final = "when"
"""The section about when frames are taken."""

LEFT_OUT: Final = "left_out"
"""The section about pictures that are not kept."""

VIDEO: Final = "video"
"""The section about what becomes of the frames."""

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As Home Assistant names them, in the order of `date.weekday`."""

EXAMPLE: Final = "{time:%Y-%m-%d %H:%M} {camera}"
"""A template for the text in the picture, for people: texts cannot hold it, as it looks like their own."""

MINUTE = 60

_DAYS = SelectSelector(
    SelectSelectorConfig(
        options=list(WEEKDAYS), translation_key="weekdays", multiple=True, mode=SelectSelectorMode.DROPDOWN
    )
)

_WHEN = {
    probatio.Optional("start_time"): TimeSelector(),
    probatio.Optional("end_time"): TimeSelector(),
    probatio.Required(CONF_WEEKDAYS, default=list(WEEKDAYS)): probatio.All(_DAYS, probatio.Length(min=1)),
    probatio.Required("sun", default=Sun.ANY.value): choice(*Sun, key="sun"),
    probatio.Required(CONF_SUN_MARGIN, default=0): number(-720, 720, "min"),
    probatio.Optional("condition"): EntitySelector(),
}

_LEFT_OUT = {
    probatio.Required("skip_unchanged", default=False): BooleanSelector(),
    probatio.Required("difference", default=3): number(0, 100, "%", step=0.1),
    probatio.Required("skip_dark", default=False): BooleanSelector(),
}

_VIDEO = {
    probatio.Optional("fps"): number(0.1, 60, "fps", step=0.1),
    probatio.Optional("length"): number(1, 86_400, "s"),
    probatio.Required("width", default=0): number(0, 8192, "px"),
    probatio.Required("height", default=0): number(0, 8192, "px"),
    probatio.Required("quality", default=75): number(1, 100, "%"),
    probatio.Optional("overlay"): TEXT,
    probatio.Required("deflicker", default=False): BooleanSelector(),
}

_SECTIONS: Final[Mapping[str, Mapping[Any, Any]]] = {WHEN: _WHEN, LEFT_OUT: _LEFT_OUT, VIDEO: _VIDEO}

_FIELDS = {
    probatio.Required(CONF_INTERVAL, default={"hours": 0, "minutes": 5, "seconds": 0}): DurationSelector(),
    **{
        probatio.Required(name): section(probatio.Schema(fields), {"collapsed": True})
        for name, fields in _SECTIONS.items()
    },
}

NEW = probatio.Schema({probatio.Required(CONF_NAME): TEXT, **_FIELDS})

CHANGE = probatio.Schema(_FIELDS)


def job(name: str, given: Mapping[str, Any]) -> Job:
    """Return the job that a filled-in form describes; raises `InvalidJob` or `InvalidRequest`."""
    fields = {key: value for section in _SECTIONS for key, value in given[section].items()}
    return Job.from_dict(
        {
            **fields,
            "name": name,
            CONF_INTERVAL: timedelta(**given[CONF_INTERVAL]).total_seconds() or None,
            CONF_WEEKDAYS: [WEEKDAYS.index(day) for day in fields[CONF_WEEKDAYS]],
            CONF_SUN_MARGIN: fields[CONF_SUN_MARGIN] * MINUTE,
            "look": given[VIDEO],
            "render": False,  # it has no end at which a video of all of it is wanted
        }
    )


def answers(job: Job) -> dict[str, Any]:
    """Return what a filled-in form would hold for a job."""
    minutes, seconds = divmod(round(job.interval or 0), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    stored = job.as_dict()
    fields = {
        **stored,
        **stored["look"],
        CONF_WEEKDAYS: [WEEKDAYS[day] for day in sorted(job.weekdays or EVERY_DAY)],
        CONF_SUN_MARGIN: round(job.sun_margin / MINUTE),
    }
    return {
        CONF_INTERVAL: {"hours": hours, "minutes": minutes, "seconds": seconds},
        **{
            name: {str(key): fields[str(key)] for key in schema if fields[str(key)] not in (None, "")}
            for name, schema in _SECTIONS.items()
        },
    }
