"""The OpenAPI document: well-formed, as the table of routes has it, and true of what is answered."""

from __future__ import annotations

from dataclasses import replace
import re
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from custom_components.tripod.engine.timelapse import Job
from custom_components.tripod.node.openapi import document
from custom_components.tripod.node.routes import ROUTES, Who

from .site import DOOR, Serve, Turnable

DOCUMENT = document(ROUTES, "1.2.3")

CAMERA = replace(DOOR, source=Turnable(width=320, height=240, rate=10), jobs=(Job(name="day", interval=3600),))


def test_it_is_what_openapi_is() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    assert DOCUMENT["info"]["version"] == "1.2.3"
    names = [operation["operationId"] for path in DOCUMENT["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_it_says_what_the_table_says() -> None:
    told = {(method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations}
    assert told == {(route.method, route.path) for route in ROUTES if route.documented}
    assert all(route.path.endswith("{path}") for route in ROUTES if not route.documented)
    for route in ROUTES:
        if not route.documented:
            continue
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert (operation["security"] == [{}]) == (route.who in (Who.ANYONE, Who.KEY))
        parts = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert parts == set(re.findall(r"\{(\w+)\}", route.path))
        body = operation.get("requestBody")
        assert (body is not None) == route.reads
        if route.body:
            assert body["content"]["application/json"]["schema"]["properties"].keys() == {
                field.name for field in route.body
            }


def fits(name: str, data: Any) -> None:
    """Fail where an answer is not as the document has it."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(data)


async def test_answers_are_as_it_says(serve: Serve) -> None:
    site = await serve(cameras=(CAMERA,))
    await site.ask("GET", "/snapshot.jpg")
    code = site.node.pairing.show().text
    asked: dict[tuple[str, str], Any] = {
        ("POST", "/pair"): {"code": code, "name": "x"},
        ("POST", "/cameras/{camera}/recordings"): {"duration": 5},
        ("POST", "/cameras/{camera}/timelapses"): {"name": "now"},
        ("POST", "/links"): {"camera": "door", "name": "TV"},
        ("PATCH", "/cameras/{camera}/controls"): {"brightness": 5},
    }
    first = ["/pair", "/cameras/{camera}/snapshot", "/cameras/{camera}/recordings", "/cameras/{camera}/timelapses"]
    rows = [route for route in ROUTES if route.gives in DOCUMENT["components"]["schemas"] and route.method != "DELETE"]
    rows.sort(
        key=lambda route: (first.index(route.path) if route.path in first else len(first), route.method != "POST")
    )
    needs_more = ("/stop", "/proof", "/{item}", "/renders")
    seen = set()
    for route in (row for row in rows if not row.path.endswith(needs_more) and row.who is not Who.KEY):
        query = "?kind=snapshots" if route.path.endswith("/items") else ""
        path = route.path.format(camera="door", name="now")
        answer = await site.ask(route.method, path + query, asked.get((route.method, route.path), {}))
        assert answer.status == route.status, (route, answer)
        fits(route.gives, answer.data)
        seen.add(route.gives)
        if route.gives == "Recording":
            recording = answer.data["id"]
    ended = await site.ask("DELETE", "/cameras/door/timelapses/now")
    fits("TimelapseEnded", ended.data)
    fits("Recording", (await site.ask("DELETE", f"/cameras/door/recordings/{recording}")).data)
    fits("Error", (await site.ask("GET", "/cameras/nix/status")).data)
    assert seen >= {"Camera", "CameraStatus", "Node", "Paired", "Items", "Item", "Controls", "Links", "Clients"} - {
        "Camera"
    }
