"""A machine with real devices, for the hardware tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from . import machine

LONGEST = 900
"""Seconds that a test may take here: the machine is emulated, and shared with others."""


class Guest(Protocol):
    """Runs a program of this folder in the virtual machine and returns the JSON value that it prints."""

    def __call__(self, program: str, *arguments: str, options: Sequence[str] = (), seconds: float = 400) -> Any: ...


@pytest.fixture(scope="session")
def guest() -> Guest:
    def run(program: str, *arguments: str, options: Sequence[str] = (), seconds: float = 400) -> Any:
        try:
            return machine.run(machine.HERE / program, *arguments, options=options, seconds=seconds)
        except machine.UnavailableError as reason:
            pytest.skip(str(reason))

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONGEST))
