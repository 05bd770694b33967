"""How cameras deliver of which the configuration does not say it: looked at once, and remembered.

A start finds out what is not known yet, and looks again when a camera was away then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
import hashlib
import json
import logging
from typing import Any

from ..engine.errors import TripodError
from ..engine.sources import Source, Tools, load
from .config import CameraConfig, NodeConfig
from .configuration import LEARNED
from .finding import best
from .state_file import StateFile

_LOGGER = logging.getLogger(__name__)

FILE = "learned.json"

LIMIT = 20.0
"""Seconds that the looks take at most, all at once: the other cameras wait for them."""


async def learned(config: NodeConfig, tools: Tools) -> NodeConfig:
    """Return `config` with every source as it is best asked for; raises `InvalidConfiguration` for a damaged file."""
    unsure = [camera for camera in config.cameras if camera.learns]
    if not unsure:
        return config
    file = StateFile(config.state / FILE)
    known = await asyncio.to_thread(file.read)
    looks = await asyncio.gather(*(_learn(camera, known, tools) for camera in unsure))
    found = {camera.id: fact for camera, fact in zip(unsure, looks, strict=True) if fact}
    facts = {_key(camera.source): found[camera.id] for camera in unsure if camera.id in found}
    if facts != known:
        await asyncio.to_thread(_write, file, facts)
    return replace(
        config,
        cameras=tuple(
            replace(camera, source=_with(camera.source, found.get(camera.id, {}))) for camera in config.cameras
        ),
    )


async def _learn(camera: CameraConfig, known: Mapping[str, Any], tools: Tools) -> Mapping[str, Any] | None:
    """Return the fields that a look brought, now or earlier."""
    if fact := known.get(_key(camera.source)):
        return dict(fact)
    try:
        async with asyncio.timeout(LIMIT):
            source = await best(camera.source, tools)
    except (TripodError, TimeoutError) as error:
        _LOGGER.warning("%s: it cannot be told how it delivers pictures: %s", camera.title, error)
        return None
    before, said = camera.source.as_dict(), LEARNED[source.kind]
    return {name: value for name, value in source.as_dict().items() if name in said or value != before[name]}


def _with(source: Source, fact: Mapping[str, Any]) -> Source:
    return load({**source.as_dict(), **fact})


def _write(file: StateFile, facts: Mapping[str, Any]) -> None:
    with file.changing() as held:
        held.clear()
        held.update(facts)


def _key(source: Source) -> str:
    """Return what stands for a source, without its password."""
    return hashlib.sha256(json.dumps(source.as_dict(), sort_keys=True).encode()).hexdigest()
