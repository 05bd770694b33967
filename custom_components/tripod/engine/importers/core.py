"""Home Assistant's own cameras: `generic` and `mjpeg` as their entries hold them, and all three of YAML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
import re
from typing import Any

from ..errors import InvalidSource, NotUnderstood
from ..options import Options
from ..sources import Source, UrlSource
from . import ffmpeg_line, from_ffmpeg, values, yaml_text
from .account import Account
from .base import Import, Imported

WHAT = "Home Assistant's cameras"

SECTION = "advanced"
"""Newer entries have some of their settings in a section of this name."""

_FOUND_OUT = "a look at the camera tells"

_NOT_NEEDED = {
    "platform": "what is read below tells",
    "content_type": _FOUND_OUT,
    "authentication": "the camera says which of both it wants",
    "limit_refetch_to_url_change": "pictures that did not change are not fetched anew",
    "use_wallclock_as_timestamps": "Tripod keeps times that never go back",
    "confirmed_ok": "it is no setting",
    "unique_id": "the camera gets an id of its own",
    "entity_namespace": "the camera gets an id of its own",
    "scan_interval": "Tripod asks nobody on a schedule",
}


def read(text: str) -> Import:
    """Read YAML: all of `configuration.yaml`, the list below `camera:`, or one camera; raises `NotUnderstood`."""
    data = yaml_text.load(text, WHAT)
    if isinstance(data, Mapping) and "platform" not in data:
        data = data.get("camera", [])
    cameras = data if isinstance(data, list) else [data]
    known = [item for item in cameras if isinstance(item, Mapping) and item.get("platform") in _PLATFORMS]
    if not known:
        raise NotUnderstood(f"there is no camera of {', '.join(_PLATFORMS)} in it", what=WHAT)
    whole = Import()
    for number, item in enumerate(known, 1):
        fields = {str(key): value for key, value in item.items()}
        whole += convert(str(item["platform"]), fields, str(item.get("name") or f"Camera {number}"))
    others = [item for item in cameras if item not in known]
    account = Account()
    for item in others:
        platform = item.get("platform") if isinstance(item, Mapping) else item
        account.not_understood("platform", platform, "this is no camera that can be brought over")
    return whole + account.result()


def convert(platform: str, stored: Mapping[str, Any], title: str) -> Import:
    """Return what one camera becomes, from what is stored of it; one that cannot be read is named."""
    section = stored.get(SECTION)
    fields = {**stored, **(section if isinstance(section, Mapping) else {})}
    fields.pop(SECTION, None)
    fields = {key: value for key, value in fields.items() if value not in (None, "")}
    account = Account()
    if "name" in fields:
        account.understood(f"{title}: name", fields.pop("name"), f"a camera called {title}")
    try:
        source, options = _PLATFORMS[platform](fields, title, account)
    except NotUnderstood as error:
        account.not_understood(title, platform, error.placeholders["detail"])
        return account.result()
    except InvalidSource as error:
        account.not_understood(title, platform, error.placeholders["detail"])
        return account.result()
    for key, value in fields.items():
        note = account.not_needed if key in _NOT_NEEDED else account.not_understood
        note(f"{title}: {key}", value, _NOT_NEEDED.get(key, "it is not known here"))
    return account.result(Imported(source=source, title=title[:60], options=options))


def _generic(fields: dict[str, Any], title: str, account: Account) -> tuple[Source, Options]:
    stream, still = fields.pop("stream_source", None), fields.pop("still_image_url", None)
    given = fields.pop("framerate", 2)
    framerate = values.number(str(given))
    if not framerate or framerate < 0:
        account.not_understood(f"{title}: framerate", given, "this is not a rate")
        framerate = 2
    url = _plain(stream or still, title)
    source = _address(url, fields, title, account)
    if stream:
        account.understood(f"{title}: stream_source", url, "video of this address")
        if still:
            account.not_needed(f"{title}: still_image_url", still, "stills are made of the video")
    else:
        source = replace(source, delivery="stills", still_interval=min(3600.0, max(0.1, 1 / framerate)))
        meaning = f"a still of this address each {source.still_interval:g} s while somebody looks"
        account.understood(f"{title}: still_image_url", url, meaning)
    return source, Options()


def _mjpeg(fields: dict[str, Any], title: str, account: Account) -> tuple[Source, Options]:
    url = _plain(fields.pop("mjpeg_url", None), title)
    source = replace(_address(url, fields, title, account), delivery="frames")
    account.understood(f"{title}: mjpeg_url", url, "JPEGs of this address, passed on as they are")
    if still := fields.pop("still_image_url", None):
        account.not_needed(f"{title}: still_image_url", still, "stills are taken from the stream")
    return source, Options()


def _ffmpeg(fields: dict[str, Any], title: str, account: Account) -> tuple[Source, Options]:
    text = _plain(fields.pop("input", None), title)
    name = f"{title}: input"
    line = ffmpeg_line.implied_input(text, name)
    extra = str(fields.pop("extra_arguments", "-pred 1"))
    if extra.strip() != "-pred 1":  # the default of Home Assistant, which means nothing for MJPEG
        more = ffmpeg_line.parse(extra, f"{title}: extra_arguments")
        line = ffmpeg_line.CommandLine(line.inputs, {**line.output, **more.output}, line.targets)
    return from_ffmpeg.read(line, name, account)


_PLATFORMS: dict[str, Callable[[dict[str, Any], str, Account], tuple[Source, Options]]] = {
    "generic": _generic,
    "mjpeg": _mjpeg,
    "ffmpeg": _ffmpeg,
}


def _plain(value: object, title: str) -> str:
    """Return an address that stands there as it is; raises `NotUnderstood` for one that has to be worked out."""
    text = str(value or "").strip()
    if not text:
        raise NotUnderstood("it has no address", what=title)
    if isinstance(value, yaml_text.Tagged):
        raise NotUnderstood(f"{value} stands in another file: put the address itself here", what=title)
    if re.search(r"\{[{%]", text):
        raise NotUnderstood("its address is a template: put the address itself here", what=title)
    return text


def _address(url: str, fields: dict[str, Any], title: str, account: Account) -> UrlSource:
    """Return the camera at an address, with what else says how it is reached."""
    known: dict[str, Any] = {}
    for key in ("username", "password"):
        if key in fields:
            value = fields.pop(key)
            if isinstance(value, yaml_text.Tagged):
                account.not_understood(f"{title}: {key}", value, "it stands in another file: type it when it is asked")
                continue
            known[key] = str(value)
            account.understood(f"{title}: {key}", known[key], f"the camera's {key}")
    for key in ("verify_ssl", "rtsp_transport"):
        if key not in fields:
            continue
        value = fields.pop(key)
        if key == "verify_ssl":
            known["verify_tls"] = bool(value)
            meaning = "the camera's certificate is checked" if value else "any certificate is taken"
            account.understood(f"{title}: {key}", value, meaning)
        elif value in ("tcp", "udp"):
            known[key] = value
            account.understood(f"{title}: {key}", value, f"RTSP over {str(value).upper()}")
        else:
            account.not_needed(f"{title}: {key}", value, "RTSP goes over TCP")
    return UrlSource(url=url, **known)
