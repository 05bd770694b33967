"""An open V4L2 node: what its driver answers, as plain data.

The structures are linuxpy's. Its `Device` is not used: that raises for a control type or pixel format which it does
not know, and all the others of the camera would be lost with it. Facts: the kernel's "Video for Linux API".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
import ctypes
from dataclasses import dataclass
import errno
import fcntl
from typing import Any

from linuxpy.video import raw

Ioctl = Callable[[int, int, Any], Any]

MOST = 256
"""Answers taken to one question: a driver that never says "no more" must not be asked for ever."""

_CAMERA = raw.Capability.VIDEO_CAPTURE | raw.Capability.STREAMING
# a codec; and what delivers nothing before a program has linked it to a sensor
_NO_CAMERA = raw.Capability.VIDEO_M2M | raw.Capability.IO_MC
_NO_MORE = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENODATA})
_NEXT = raw.ControlFlag.NEXT_CTRL  # without NEXT_COMPOUND: no arrays, no structures
_DISCRETE = 1  # of both enum v4l2_frmsizetypes and v4l2_frmivaltypes


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Who answers (VIDIOC_QUERYCAP)."""

    driver: str
    card: str
    bus: str
    camera: bool
    """Whether ffmpeg can capture pictures from this node. By Device Caps: what this node is, not its neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """From `low` to `high`, in steps; both the same for a single value."""

    low: float
    high: float
    step: float = 0

    def __contains__(self, value: float) -> bool:
        """Whether the device takes `value`."""
        return self.low <= value <= self.high and (not self.step or (value - self.low) % self.step == 0)


class Node:
    """A node that is open; every method raises OSError where the device does not answer."""

    def __init__(self, descriptor: int, ioctl: Ioctl = fcntl.ioctl) -> None:
        """Ask the driver behind `descriptor`."""
        self._descriptor = descriptor
        self._ioctl = ioctl

    def capability(self) -> Capability:
        """Return who answers; raises OSError (ENOTTY) for what is no V4L2 node."""
        answer = raw.v4l2_capability()
        self._ask(raw.IOC.QUERYCAP, answer)
        # drivers older than Linux 3.3 know no Device Caps
        told = answer.device_caps if answer.capabilities & raw.Capability.DEVICE_CAPS else answer.capabilities
        return Capability(
            driver=_text(answer.driver),
            card=_text(answer.card),
            bus=_text(answer.bus_info),
            camera=told & _CAMERA == _CAMERA and not told & _NO_CAMERA,
        )

    def formats(self) -> list[str]:
        """Return the codes of the pixel formats, four characters each."""
        question = raw.v4l2_fmtdesc(type=raw.BufType.VIDEO_CAPTURE)
        return [
            answer.pixelformat.to_bytes(4, "little").decode("latin-1")
            for answer in self._each(raw.IOC.ENUM_FMT, question)
        ]

    def sizes(self, code: str) -> list[tuple[Range, Range]]:
        """Return widths and heights of a format."""
        question = raw.v4l2_frmsizeenum(pixel_format=_number(code))
        found = []
        for answer in self._each(raw.IOC.ENUM_FRAMESIZES, question):
            if answer.type == _DISCRETE:
                width, height = answer.discrete.width, answer.discrete.height
                found.append((Range(low=width, high=width), Range(low=height, high=height)))
            else:
                steps = answer.stepwise
                found.append(
                    (
                        Range(low=steps.min_width, high=steps.max_width, step=steps.step_width),
                        Range(low=steps.min_height, high=steps.max_height, step=steps.step_height),
                    )
                )
                break  # the driver says it once, for all sizes
        return found

    def rates(self, code: str, width: int, height: int) -> list[Range]:
        """Return the frames per second that a format has at a size."""
        question = raw.v4l2_frmivalenum(pixel_format=_number(code), width=width, height=height)
        found = []
        for answer in self._each(raw.IOC.ENUM_FRAMEINTERVALS, question):
            if answer.type == _DISCRETE:
                rate = _rate(answer.discrete)
                found.append(Range(low=rate, high=rate))
            else:
                found.append(Range(low=_rate(answer.stepwise.max), high=_rate(answer.stepwise.min)))
                break
        return found

    def controls(self) -> Iterator[Any]:
        """Return all plain controls as linuxpy's `v4l2_query_ext_ctrl`, of types that it does not know too."""
        last = 0
        for _ in range(MOST):
            answer = raw.v4l2_query_ext_ctrl(id=last | _NEXT)
            try:
                self._ask(raw.IOC.QUERY_EXT_CTRL, answer)
            except OSError as error:
                if error.errno in _NO_MORE:
                    return
                raise
            if answer.id <= last:
                return
            last = answer.id
            yield answer

    def menu(self, control: Any) -> dict[int, str]:
        """Return a menu's values and what the driver calls them; a menu may have gaps."""
        found: dict[int, str] = {}
        for index in range(control.minimum, min(control.maximum, control.minimum + MOST) + 1):
            answer = raw.v4l2_querymenu(id=control.id, index=index)
            try:
                self._ask(raw.IOC.QUERYMENU, answer)
            except OSError as error:
                if error.errno in _NO_MORE:
                    continue
                raise
            number = control.type == raw.CtrlType.INTEGER_MENU
            found[index] = str(answer.value) if number else _text(answer.name)
        return found

    def value(self, control: Any) -> int:
        """Return what a control is set to."""
        answer = raw.v4l2_ext_control(id=control.id)
        self._ask(raw.IOC.G_EXT_CTRLS, _together(answer))
        wide = control.type == raw.CtrlType.INTEGER64
        return int(answer.value64 if wide else answer.value)

    def set(self, control: Any, value: int) -> None:
        """Set a control, to a value within its range; the driver may still choose another."""
        question = raw.v4l2_ext_control(id=control.id)
        if control.type == raw.CtrlType.INTEGER64:
            question.value64 = value
        else:
            question.value = value
        self._ask(raw.IOC.S_EXT_CTRLS, _together(question))

    def _each(self, request: int, question: Any) -> Iterator[Any]:
        """Return the answers to a question that is asked by index; each is overwritten by the next."""
        for index in range(MOST):
            question.index = index
            try:
                self._ask(request, question)
            except OSError as error:
                if error.errno in _NO_MORE:
                    return
                raise
            yield question

    def _ask(self, request: int, structure: Any) -> None:
        self._ioctl(self._descriptor, request, structure)


def _together(control: Any) -> Any:
    return raw.v4l2_ext_controls(which=raw.ControlWhichValue.CUR_VAL, count=1, controls=ctypes.pointer(control))


def _number(code: str) -> int:
    return int.from_bytes(code.encode("latin-1"), "little")


def _rate(interval: Any) -> float:
    """Return the frames per second of an interval; 0 where the driver gives none."""
    return float(round(interval.denominator / interval.numerator, 3)) if interval.numerator else 0.0


def _text(value: bytes) -> str:
    return value.decode(errors="replace").strip()
