"""Links, each for one outside client of one camera, and the clients that are paired."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

from aiohttp import web

from ...engine.errors import InvalidCommand, InvalidRequest, NoSuchCamera
from ...engine.web import Scope
from ...engine.web.answers import Refusal
from ..call import Call, answer
from ..config import LONGEST_NAME
from ..credentials import Credentials, Link
from ..facts import Facts
from ..fields import Field
from .route import Route


async def links(call: Call) -> web.StreamResponse:
    """List all links, without their keys, which nobody has but their clients."""
    credentials = call.node.credentials
    return answer({"links": [_link_facts(credentials, link) for link in credentials.links]})


async def make(call: Call) -> web.StreamResponse:
    """Make a link, and tell its key this once."""
    node, given = call.node, call.body
    if given["camera"] not in node.cameras:
        raise NoSuchCamera(camera=given["camera"])
    add = partial(
        node.credentials.add_link,
        given["camera"],
        given["name"].strip(),
        scopes=frozenset(map(Scope, given.get("scopes", Scope))),
        expires_at=_moment(given["expires"]) if "expires" in given else None,
        viewers=given.get("viewers"),
    )
    link, key = await asyncio.to_thread(add)
    await node.credentials.take_over()
    return answer({**_link_facts(node.credentials, link), "key": key, "path": f"links/{key}/"}, 201)


async def remove(call: Call) -> web.StreamResponse:
    """Let nobody in by a link any more, and send away who watches by it."""
    if not await asyncio.to_thread(call.node.credentials.remove_link, call.part("id")):
        raise Refusal(404, InvalidRequest("there is no such link"))
    await call.node.credentials.take_over()
    return answer({"id": call.part("id")})


async def clients(call: Call) -> web.StreamResponse:
    """List the clients that are paired."""
    node = call.node
    found = [
        {
            "id": token.id,
            "name": token.name,
            "created_at": token.created_at.isoformat(),
            "used_at": _used(node.credentials, token.id),
            "connected": token.id in node.presence,
        }
        for token in node.credentials.tokens
    ]
    return answer({"clients": found})


async def forget(call: Call) -> web.StreamResponse:
    """Let a client in no longer, and send it away."""
    if not await asyncio.to_thread(call.node.credentials.remove_token, call.part("id")):
        raise Refusal(404, InvalidRequest("there is no such client"))
    await call.node.credentials.take_over()
    return answer({"id": call.part("id")})


def _link_facts(credentials: Credentials, link: Link) -> Facts:
    return {
        "id": link.id,
        "camera": link.camera,
        "name": link.name,
        "scopes": sorted(link.scopes),
        "expires": link.expires_at and link.expires_at.isoformat(),
        "expired": credentials.expired(link),
        "viewers": link.viewers,
        "created_at": link.created_at.isoformat(),
        "used_at": _used(credentials, link.id),
    }


def _used(credentials: Credentials, credential: str) -> str | None:
    used = credentials.used(credential)
    return used.isoformat() if used else None


def _moment(text: str) -> datetime:
    """Return a time; one without an offset is of this machine's zone."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError) as error:
        raise InvalidCommand("expires is no time such as 2026-12-31T18:00:00+01:00") from error


ROUTES = (
    Route(method="GET", path="/links", handler=links, summary="All links", gives="Links"),
    Route(
        method="POST",
        path="/links",
        handler=make,
        summary="Make a link; its key is told this once",
        body=(
            Field(name="camera", required=True, text="The camera's id"),
            Field(name="name", required=True, text="Whom it is for", longest=LONGEST_NAME),
            Field(
                name="scopes",
                kind="array",
                text="What it allows; all where nothing is said",
                each=Field(name="scope", text="One of them", choices=[scope.value for scope in Scope]),
            ),
            Field(name="expires", text="When it ends; never where nothing is said"),
            Field(name="viewers", kind="integer", text="How many may watch by it at once", minimum=1, maximum=1000),
        ),
        status=201,
        gives="NewLink",
    ),
    Route(method="DELETE", path="/links/{id}", handler=remove, summary="Revoke a link", gives="Id"),
    Route(method="GET", path="/clients", handler=clients, summary="The paired clients", gives="Clients"),
    Route(method="DELETE", path="/clients/{id}", handler=forget, summary="Revoke a client's token", gives="Id"),
)
