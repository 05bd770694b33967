"""What answers hold, as JSON Schema; `facts` makes them."""

from __future__ import annotations

from typing import Any

from ..engine.sources import Medium
from ..engine.status import State
from ..engine.web import Scope

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NONE: Schema = {"type": ["string", "null"]}
_TIME: Schema = {"type": "string", "format": "date-time"}
_TIME_OR_NONE: Schema = {"type": ["string", "null"], "format": "date-time"}
_NUMBER: Schema = {"type": "number"}
_WHOLE: Schema = {"type": "integer"}
_WHOLE_OR_NONE: Schema = {"type": ["integer", "null"]}
_NUMBER_OR_NONE: Schema = {"type": ["number", "null"]}
_YES: Schema = {"type": "boolean"}
_ANYTHING: Schema = {"type": "object"}


def _object(required: Schema, /, **optional: Schema) -> Schema:
    return {"type": "object", "required": sorted(required), "properties": {**required, **optional}}


def _list(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def _with(name: str, required: Schema) -> Schema:
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}, _object(required)]}


_WRONG = {"cause": _TEXT_OR_NONE, "message": _TEXT_OR_NONE}
"""What keeps something away."""

_STATE: Schema = {"type": "string", "enum": [state.value for state in State]}
_MEDIUM: Schema = {"type": "string", "enum": [medium.value for medium in Medium]}

SCHEMAS: dict[str, Schema] = {
    "Error": _object({"cause": _TEXT, "message": _TEXT}),
    "Health": _object({"status": {"const": "ok"}}),
    "Ready": _object({"ready": _YES}, cameras=_ANYTHING, cause=_TEXT, message=_TEXT),
    "Node": _object(
        {"protocol": _WHOLE, "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "name": _TEXT, "version": _TEXT},
        cameras=_list("Camera"),
    ),
    "Paired": _object({"token": _TEXT, "node": {"$ref": "#/components/schemas/Node"}}),
    "Proof": _object({"id": _TEXT, "proof": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}),
    "Camera": _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "kind": _TEXT,
            "native": _MEDIUM,
            "delivers": {"type": "array", "items": _MEDIUM},
            "state": _STATE,
            **_WRONG,
            "codec": _TEXT_OR_NONE,
            "width": _WHOLE_OR_NONE,
            "height": _WHOLE_OR_NONE,
            "frames_per_second": _NUMBER,
            "controls": _YES,
            "warms_up": _YES,
            "interval": _NUMBER,
            "still": _YES,
        }
    ),
    "CameraStatus": _with(
        "Camera",
        {
            "frame_at": _NUMBER_OR_NONE,
            "viewers": _WHOLE,
            "recordings": _list("Recording"),
            "timelapses": _list("Timelapse"),
            "renders": _list("Render"),
            "storage": _object(
                {
                    "present": _YES,
                    **_WRONG,
                    "size": _WHOLE,
                    "free": _WHOLE_OR_NONE,
                    "days_until_full": _NUMBER_OR_NONE,
                    "usage": {
                        "type": "array",
                        "items": _object({"kind": _TEXT, "job": _TEXT, "count": _WHOLE, "size": _WHOLE}),
                    },
                }
            ),
            "mqtt": {
                "oneOf": [
                    {"type": "null"},
                    _object({"prefix": _TEXT, "connected": _YES, **_WRONG, "breaks": _WHOLE, "dropped": _WHOLE}),
                ]
            },
        },
    ),
    "Changed": _object({"changed": _YES, "state": _STATE}),
    "Item": _object(
        {
            "kind": _TEXT,
            "key": _TEXT,
            "captured_at": _TIME,
            "size": _WHOLE,
            "suffix": _TEXT,
            "job": _TEXT,
            "details": _ANYTHING,
            "thumbnail": _YES,
            "pinned": _YES,
        }
    ),
    "Items": _object({"items": _list("Item"), "more": _YES}),
    "Key": _object({"key": _TEXT}),
    "Pinned": _object({"key": _TEXT, "pinned": _YES}),
    "Controls": _object({"controls": _list("Control"), "wanted": {"type": "object", "additionalProperties": _NUMBER}}),
    "Control": _object(
        {
            "key": _TEXT,
            "name": _TEXT,
            "kind": _TEXT,
            "value": _NUMBER_OR_NONE,
            "minimum": _NUMBER,
            "maximum": _NUMBER,
            "step": _NUMBER,
            "default": _NUMBER_OR_NONE,
            "choices": {"type": "object", "additionalProperties": _TEXT},
            "inactive": _YES,
            "governor": _TEXT_OR_NONE,
            "governor_value": _WHOLE_OR_NONE,
        }
    ),
    "Recording": _object(
        {
            "id": _TEXT,
            "state": _TEXT,
            "asked_at": _TIME,
            "started_at": _TIME_OR_NONE,
            "name": _TEXT_OR_NONE,
            "container": _TEXT,
            "duration": _NUMBER,
            "size": _WHOLE,
            "lost": _NUMBER,
        }
    ),
    "Recordings": _object({"recordings": _list("Recording")}),
    "Timelapse": _object(
        {
            "job": _ANYTHING,
            "standing": _YES,
            "running": _YES,
            "started_at": _TIME_OR_NONE,
            "frames": _WHOLE,
            "frames_today": _WHOLE,
            "last_frame_at": _TIME_OR_NONE,
            "missed": _WHOLE,
            "skipped": _WHOLE,
            "next_at": _TIME_OR_NONE,
            **_WRONG,
        }
    ),
    "Timelapses": _object({"timelapses": _list("Timelapse")}),
    "TimelapseEnded": _with(
        "Timelapse", {"render": {"anyOf": [{"$ref": "#/components/schemas/Render"}, {"type": "null"}]}}
    ),
    "Render": _object(
        {
            "id": _TEXT,
            "state": _TEXT,
            "progress": _NUMBER,
            "asked_at": _NUMBER,
            "request": _ANYTHING,
            "key": _TEXT_OR_NONE,
            **_WRONG,
        }
    ),
    "Renders": _object({"renders": _list("Render")}),
    "Link": _object(
        {
            "id": _TEXT,
            "camera": _TEXT,
            "name": _TEXT,
            "scopes": {"type": "array", "items": {"type": "string", "enum": [scope.value for scope in Scope]}},
            "expires": _TIME_OR_NONE,
            "expired": _YES,
            "viewers": _WHOLE_OR_NONE,
            "created_at": _TIME,
            "used_at": _TIME_OR_NONE,
        }
    ),
    "Links": _object({"links": _list("Link")}),
    "NewLink": _with("Link", {"key": _TEXT, "path": _TEXT}),
    "Clients": _object(
        {
            "clients": {
                "type": "array",
                "items": _object(
                    {"id": _TEXT, "name": _TEXT, "created_at": _TIME, "used_at": _TIME_OR_NONE, "connected": _YES}
                ),
            }
        }
    ),
    "Id": _object({"id": _TEXT}),
}
"""By name."""
