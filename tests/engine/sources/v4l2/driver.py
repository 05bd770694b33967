"""Devices that answer ioctls as real ones did: recorded.json is what vivid and uvcvideo of Linux 6.12 said.

Where no device can be, this stands for the kernel; the hardware tests show the same on the drivers themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import errno
from functools import cache
import json
from pathlib import Path
from typing import Any, TypeVar

from linuxpy.video import raw

from custom_components.tripod.engine.sources.v4l2.ioctls import Node
from custom_components.tripod.engine.sources.v4l2.opened import explain

_Item = TypeVar("_Item")

INACTIVE, HAS_PAYLOAD = 0x10, 0x100


@cache
def recorded(name: str) -> Mapping[str, Any]:
    """Return what a device said: `vivid`, `webcam`, or the webcam's `metadata` node."""
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("recorded.json").read_text())[name]
    return found


class Driver:
    """The driver of one node."""

    def __init__(self, recording: Mapping[str, Any]) -> None:
        self.capability = dict(recording["capability"])
        self.formats = dict(recording["formats"])
        self.controls = {control["id"]: dict(control) for control in recording["controls"]}
        self.written: list[tuple[str, int]] = []
        self.failure: int | None = None
        """The errno of every answer, for a device that was just pulled out."""
        self.failures: dict[int, int] = {}
        """The errno for each control, by id, whose value is asked for or set."""

    def control(self, name: str) -> dict[str, Any]:
        return next(control for control in self.controls.values() if control["name"] == name)

    def ioctl(self, _descriptor: int, request: int, structure: Any) -> None:
        answers: dict[int, Callable[[Any], None]] = {
            raw.IOC.QUERYCAP: self._capability,
            raw.IOC.ENUM_FMT: self._format,
            raw.IOC.ENUM_FRAMESIZES: self._size,
            raw.IOC.ENUM_FRAMEINTERVALS: self._interval,
            raw.IOC.QUERY_EXT_CTRL: self._control,
            raw.IOC.QUERYMENU: self._menu,
            raw.IOC.G_EXT_CTRLS: self._value,
            raw.IOC.S_EXT_CTRLS: self._set,
        }
        if self.failure:
            fail(self.failure)
        answers[request](structure)

    def _capability(self, answer: Any) -> None:
        for field in ("driver", "card", "bus_info"):
            setattr(answer, field, self.capability[field].encode())
        answer.capabilities, answer.device_caps = self.capability["capabilities"], self.capability["device_caps"]

    def _format(self, answer: Any) -> None:
        code = nth(list(self.formats), answer.index)
        answer.pixelformat = int.from_bytes(code.encode("latin-1"), "little")

    def _sizes(self, question: Any) -> dict[str, Any]:
        sizes: dict[str, Any] = self.formats[question.pixel_format.to_bytes(4, "little").decode("latin-1")]
        return sizes

    def _size(self, answer: Any) -> None:
        size = nth(list(self._sizes(answer)), answer.index)
        if size == "stepwise":
            answer.type, steps = 3, self._sizes(answer)[size]
            for field, value in steps["size"].items():
                setattr(answer.stepwise, field, value)
        else:
            answer.type = 1
            answer.discrete.width, answer.discrete.height = map(int, size.split("x"))

    def _interval(self, answer: Any) -> None:
        sizes = self._sizes(answer)
        if "stepwise" in sizes:
            nth([0], answer.index)
            answer.type = 3
            answer.stepwise.min.numerator, answer.stepwise.min.denominator = sizes["stepwise"]["shortest"]
            answer.stepwise.max.numerator, answer.stepwise.max.denominator = sizes["stepwise"]["longest"]
        else:
            rate = nth(sizes[f"{answer.width}x{answer.height}"], answer.index)
            answer.type = 1
            answer.discrete.numerator, answer.discrete.denominator = 1000, round(rate * 1000)

    def _control(self, answer: Any) -> None:
        compound = answer.id & 0x40000000
        known = [each for each in self.controls.values() if compound or not each["flags"] & HAS_PAYLOAD]
        following = [each for each in known if each["id"] > answer.id & 0x0FFFFFFF]
        control = min(following, key=lambda each: int(each["id"]), default=None) or fail(errno.EINVAL)
        for field in ("id", "type", "minimum", "maximum", "step", "default_value", "flags", "elems", "nr_of_dims"):
            setattr(answer, field, control[field])
        answer.name = control["name"].encode("latin-1")

    def _menu(self, answer: Any) -> None:
        control = self.controls[answer.id]
        item = control["menu"].get(str(answer.index)) or fail(errno.EINVAL)
        if control["type"] == raw.CtrlType.INTEGER_MENU:
            answer.value = int(item)
        else:
            answer.name = item.encode()

    def _value(self, answer: Any) -> None:
        field = answer.controls[0]
        control = self._find(field.id)
        setattr(field, "value64" if control["type"] == raw.CtrlType.INTEGER64 else "value", control["value"])

    def _set(self, answer: Any) -> None:
        field = answer.controls[0]
        control = self._find(field.id)
        value = field.value64 if control["type"] == raw.CtrlType.INTEGER64 else field.value
        self.written.append((control["name"], value))
        if control["type"] == raw.CtrlType.MENU and str(value) not in control["menu"]:
            fail(errno.EINVAL)
        if "value" in control:
            control["value"] = max(control["minimum"], min(control["maximum"], value))
        if control["name"] == "Gain, Automatic":
            gain = self.control("Gain")
            gain["flags"] = gain["flags"] & ~INACTIVE | (INACTIVE if value else 0)

    def _find(self, control: int) -> dict[str, Any]:
        if error := self.failures.get(control):
            fail(error)
        return self.controls[control]


class Machine:
    """Devices by the path that they are opened under; what is not there cannot be opened."""

    def __init__(self, drivers: Mapping[str, Driver | int]) -> None:
        """Take drivers, or errnos of open(2), by the end of their path."""
        self.drivers = dict(drivers)

    @contextmanager
    def open_node(self, path: str) -> Iterator[Node]:
        driver = self.drivers.get(Path(path).name, errno.ENOENT)
        try:
            yield Node(0, (driver if isinstance(driver, Driver) else fail(driver)).ioctl)
        except OSError as error:
            raise explain(error, path) from error


def nth(items: list[_Item], index: int) -> _Item:
    return items[index] if index < len(items) else fail(errno.EINVAL)


def fail(number: int) -> Any:
    raise OSError(number, errno.errorcode[number])
