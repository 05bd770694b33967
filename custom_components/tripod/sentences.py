"""Errors of the engine as sentences in the user's language."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .engine.errors import ControlInactive, ControlLocked, InvalidControl, Stopped, TripodError

_REFUSED = (ControlInactive, ControlLocked, InvalidControl, Stopped)
"""What the user only has to do differently."""

UNKNOWN = "?"
"""Stands where a sentence names what nobody knows."""


def placeholders(error: TripodError) -> dict[str, str]:
    """Return what the error's sentence names."""
    return {key: value or UNKNOWN for key, value in error.placeholders.items()}


@callback
def describe(hass: HomeAssistant, error: TripodError) -> str:
    """Return what happened and what to do, in the language of the server; in English where that is not translated."""
    texts = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
    text = texts.get(f"component.{DOMAIN}.exceptions.{error.cause}.message")
    try:
        return text.format(**placeholders(error)) if text else str(error)
    except LookupError, ValueError:  # a translation that names what does not exist
        return str(error)


def translated(error: TripodError) -> HomeAssistantError:
    """Return the error as Home Assistant raises it; what the user only does differently has no stack trace."""
    kind = ServiceValidationError if isinstance(error, _REFUSED) else HomeAssistantError
    return kind(translation_domain=DOMAIN, translation_key=error.cause, translation_placeholders=placeholders(error))
