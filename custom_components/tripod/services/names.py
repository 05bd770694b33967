"""Names that users give to files: a template with the time and the camera."""

from datetime import datetime
import re

from homeassistant.util import slugify

from ..engine.errors import InvalidName
from ..engine.strftime import DIRECTIVE

_FIELD = re.compile(r"\{([^{}:]*)(?::([^{}]*))?\}|[{}]")

_FORM = re.compile(f"(?:[^%]|{DIRECTIVE})*")

DEFAULT_TIME = "%Y-%m-%d_%H-%M-%S"


def fill(template: str, captured_at: datetime, camera: str) -> str:
    """Return a name from a template such as `gate/{time:%H-%M-%S}_{camera}.jpg`; raises `InvalidName`."""

    def value(field: re.Match[str]) -> str:
        match field.groups():
            case "time", form if _FORM.fullmatch(form or DEFAULT_TIME):
                return captured_at.strftime(form or DEFAULT_TIME)
            case "camera", None:
                return slugify(camera)
        raise InvalidName(f"{field[0]} in it is neither {{camera}} nor a time such as {{time:%H-%M-%S}}")

    return _FIELD.sub(value, template)
