"""Errors of the engine as sentences in the user's language."""

from dataclasses import dataclass
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from .const import DOMAIN
from .engine.errors import (
    Cancelled,
    ControlInactive,
    ControlLocked,
    InvalidControl,
    InvalidJob,
    InvalidName,
    InvalidRange,
    InvalidRequest,
    JobExists,
    NoSuchItem,
    NoSuchJob,
    NoSuchRender,
    NothingFound,
    NotRecording,
    Stopped,
    TooManyJobs,
    TripodError,
)

_REFUSED = (
    *(Cancelled, ControlInactive, ControlLocked, InvalidControl, InvalidJob, InvalidName, InvalidRange, InvalidRequest),
    *(JobExists, NoSuchItem, NoSuchJob, NoSuchRender, NothingFound, NotRecording, Stopped, TooManyJobs),
)
"""What the user only has to do differently."""

UNKNOWN = "?"
"""Stands where a sentence names what nobody knows."""


def placeholders(error: TripodError) -> dict[str, str]:
    """Return what the error's sentence names."""
    return {key: value or UNKNOWN for key, value in error.placeholders.items()}


@callback
def describe(hass: HomeAssistant, error: TripodError) -> str:
    """Return what happened and what to do, in the language of the server; in English where that is not translated."""
    return _sentence(hass, error, error.cause)


def _sentence(hass: HomeAssistant, error: TripodError, key: str) -> str:
    texts = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
    text = texts.get(f"component.{DOMAIN}.exceptions.{key}.message")
    try:
        return text.format(**placeholders(error)) if text else str(error)
    except LookupError, ValueError:  # a translation that names what does not exist
        return str(error)


_BY_SERVER: Final = {
    "unreachable": "server_unreachable",
    "refused": "server_refused",
    "unauthorized": "server_unauthorized",
    "tls": "server_tls",
    "not_found": "server_not_found",
    "source_failed": "server_failed",
    "stream_ended": "server_closed",
    "format_not_supported": "server_format",
    "worker_failed": "server_worker",
}
"""What the sentences of some causes are where not a camera but a server that is published to is meant."""


@callback
def describe_server(hass: HomeAssistant, error: TripodError) -> str:
    """Return as `describe` does what happened at a server that is published to, and what to do."""
    return _sentence(hass, error, _BY_SERVER.get(error.cause, error.cause))


def translated(error: TripodError) -> HomeAssistantError:
    """Return the error as Home Assistant raises it; what the user only does differently has no stack trace."""
    kind = ServiceValidationError if isinstance(error, _REFUSED) else HomeAssistantError
    return kind(translation_domain=DOMAIN, translation_key=error.cause, translation_placeholders=placeholders(error))


PHRASES: Final = f"component.{DOMAIN}.selector.phrase.options."
"""Where the phrases stand among the translations: there is no place of their own for them."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a dialog puts together itself, such as the name of a choice with measured figures in it."""

    hass: HomeAssistant
    texts: dict[str, str]

    def say(self, key: str, **named: str) -> str:
        """Return a phrase in the language of the server."""
        return self.texts[PHRASES + key].format(**named)

    def why(self, error: TripodError) -> str:
        """Return what happened and what to do, as `describe` does."""
        return describe(self.hass, error)


async def phrases(hass: HomeAssistant) -> Phrases:
    """Return the phrases, and have the errors' sentences ready: a dialog may be open before any camera is set up."""
    language = hass.config.language
    await async_get_translations(hass, language, "exceptions", [DOMAIN])
    return Phrases(hass, await async_get_translations(hass, language, "selector", [DOMAIN]))
