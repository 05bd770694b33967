"""What the fields of several actions have in common."""

from typing import Any, Final

from homeassistant.helpers import config_validation as cv
import probatio

type Fields = dict[str | probatio.Marker, Any]

CONF_MEDIA_CONTENT_ID: Final = "media_content_id"
CONF_WAIT: Final = "wait"

MAX_SIDE = 16384
"""Pixels: no JPEG is larger by much (ITU-T T.81: 65535)."""

DAY = 86400.0

WAIT: Fields = {probatio.Optional(CONF_WAIT, default=False): cv.boolean}
"""Whether the action answers only when its work is done."""

PIXELS: Final = probatio.All(probatio.Coerce(int), probatio.Range(min=16, max=MAX_SIDE))


def seconds(most: float) -> probatio.All[Any]:
    """Return a span of time, up to `most`."""
    return probatio.All(probatio.Coerce(float), probatio.Range(min=0, max=most))
