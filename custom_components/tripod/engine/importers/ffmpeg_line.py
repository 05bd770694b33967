"""A command line of ffmpeg, taken apart as data: it is never run."""

from __future__ import annotations

from dataclasses import dataclass, field
import re
import shlex

from ..errors import NotUnderstood

_FLAGS = frozenset(
    [
        "y",
        "n",
        "nostdin",
        "stdin",
        "nostats",
        "stats",
        "hide_banner",
        "re",
        "an",
        "vn",
        "sn",
        "dn",
        "copyts",
        "shortest",
        "ignore_unknown",
        "benchmark",
        "xerror",
    ]
)
"""Options without a value."""


@dataclass(frozen=True, slots=True)
class Input:
    """One `-i` with the options that stand before it."""

    url: str
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """All inputs, then what is to become of them."""

    inputs: tuple[Input, ...]
    output: dict[str, str]
    """Options by name without the dash; the last of each name, as ffmpeg has it."""
    targets: tuple[str, ...]
    """Where it would write."""


def parse(text: str, what: str) -> CommandLine:
    """Take a command line apart, with or without the program's name; raises `NotUnderstood`."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise NotUnderstood(str(error), what=what) from error
    if words and re.fullmatch(r"(\S*/)?ffmpeg", words[0]):
        del words[0]
    inputs: list[Input] = []
    targets: list[str] = []
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        name = word[1:]
        if not word.startswith("-") or len(word) == 1:
            targets.append(word)
        elif name in _FLAGS:
            options[name] = ""
        elif (value := next(rest, None)) is None:
            raise NotUnderstood(f"{word} has no value", what=what)
        elif name == "i":
            inputs.append(Input(value, options))
            options = {}
        else:
            options[name] = value
    return CommandLine(tuple(inputs), options, tuple(targets))


def implied_input(text: str, what: str) -> CommandLine:
    """Take a line apart whose last word is the input, as Home Assistant's `ffmpeg` camera has it without `-i`."""
    if re.search(r"(^|\s)-i\s", text):
        return parse(text, what)
    line = parse(text, what)
    if len(line.targets) != 1:
        raise NotUnderstood("it names no input", what=what)
    return CommandLine((Input(line.targets[0], line.output),), {}, ())
