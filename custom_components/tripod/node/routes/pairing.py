"""How a client becomes one that may do all, and how it knows the node again."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from ...engine.errors import InvalidCommand, WrongCode
from ...engine.web.answers import Refusal
from ..access import unpaired
from ..call import Call, answer
from ..config import LONGEST_NAME
from ..credentials import ID_LENGTH
from ..fields import Field
from ..pairing import LENGTH, proof
from .route import Route, Who

NONCE = re.compile("[0-9a-f]{32,128}", re.ASCII)


async def pair(call: Call) -> web.StreamResponse:
    """Let in who tells the code that the node shows."""
    node, name = call.node, call.body["name"].strip() or "?"
    try:
        async with node.pairing_turn:  # one guess after the other
            token = await asyncio.to_thread(node.pairing.redeem, call.body["code"], name)
    except WrongCode as error:
        if await asyncio.to_thread(node.pairing.paused):  # then the code that was shown is good for nothing
            await node.show_code_if_unpaired()
        raise Refusal(403, error) from error
    await node.credentials.take_over()
    return answer({"token": token, "node": node.facts_with_cameras})


async def prove(call: Call) -> web.StreamResponse:
    """Prove to who is paired that this is the node it is paired with, without its token being sent."""
    nonce = call.body["nonce"]
    if not NONCE.fullmatch(nonce):
        raise InvalidCommand("nonce is not of 32 to 128 hexadecimal digits in lower case")
    if (token := call.node.credentials.named(call.body["client"])) is None:
        raise unpaired()
    return answer({"id": call.node.id, "proof": proof(token, call.node.id, nonce)})


ROUTES = (
    Route(
        method="POST",
        path="/pair",
        handler=pair,
        who=Who.ANYONE,
        summary="A token for the code that the node shows",
        body=(
            Field(name="code", required=True, text="The code, as the node shows it", longest=4 * LENGTH),
            Field(name="name", required=True, text="What the node's lists shall call the client", longest=LONGEST_NAME),
        ),
        gives="Paired",
    ),
    Route(
        method="POST",
        path="/proof",
        handler=prove,
        who=Who.ANYONE,
        summary="HMAC-SHA256 of the nonce, by which a paired client knows the node again",
        body=(
            Field(name="nonce", required=True, text="32 to 128 hexadecimal digits in lower case", longest=128),
            Field(
                name="client",
                required=True,
                text=f"The first {ID_LENGTH} hexadecimal digits of the token's SHA-256",
                longest=ID_LENGTH,
            ),
        ),
        gives="Proof",
    ),
)
