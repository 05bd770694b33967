"""The OpenAPI document: the table of routes, as programs read it."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
import re
from typing import TYPE_CHECKING, Any

from .fields import Field, object_schema
from .schemas import SCHEMAS

if TYPE_CHECKING:
    from .routes import Route

VERSION = "3.1.0"

_PART = re.compile(r"\{(\w+)\}")

_PARTS = {
    "camera": "The camera's id",
    "id": "What the list calls it",
    "item": "The item's key, slashes included",
    "key": "The link's key",
    "name": "The timelapse's name",
}

_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "anyone": [{}],
    "key": [{}],
    "viewer": [{"bearer": []}, {"basic": []}],
    "controller": [{"bearer": []}, {"basic": []}],
}
"""What of `components` each caller of `Who` needs: one of them."""


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """Return the description of `routes`; its addresses are relative to its own."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.documented:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Tripod node",
            "version": version,
            "description": "Cameras of another host: pictures, streams, recordings, timelapses, control.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A token, or a link's key"},
                "basic": {"type": "http", "scheme": "basic", "description": "The same as password of any user"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _id(route),
        "security": _SECURITY[route.who.value],
        "responses": {str(route.status): _answer(route), "default": _error()},
    }
    if parameters := [*map(_part, _PART.findall(route.path)), *map(_query, (*route.query, *route.own_query))]:
        found["parameters"] = parameters
    if route.reads:
        schema = object_schema(route.body, route.values)
        required = any(field.required for field in route.body)
        found["requestBody"] = {"required": required, "content": {"application/json": {"schema": schema}}}
    return found


def _id(route: Route) -> str:
    words = re.findall(r"\w+", route.path)
    return "_".join([route.method.lower(), *words]) + ("_" if route.path.endswith("/") else "")


def _part(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PARTS[name],
        "schema": {"type": "string"},
    }


def _query(field: Field) -> dict[str, Any]:
    schema = field.schema()
    text = schema.pop("description")
    return {"name": field.name, "in": "query", "required": field.required, "description": text, "schema": schema}


def _answer(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.status == HTTPStatus.FOUND:
        return found
    if route.gives in SCHEMAS:
        found["content"] = {"application/json": {"schema": _reference(route.gives)}}
    else:
        found["content"] = {route.gives: {}}
    return found


def _error() -> dict[str, Any]:
    content = {"application/json": {"schema": _reference("Error")}}
    return {"description": "What is wrong, for programs and for people", "content": content}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
