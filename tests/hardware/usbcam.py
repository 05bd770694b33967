"""A USB webcam in software: a UVC device with a bulk endpoint, made with gadgetfs.

    usbcam.py EP0 FRAMES

Runs as root where dummy_hcd and gadgetfs are loaded (with-vivid --uvc 1): the kernel's own uvcvideo driver then offers
the camera as two nodes, one for pictures and one for metadata. EP0 is the built ep0.c. FRAMES has one folder a size,
named WxH, with the JPEG files that are repeated. SIGTERM unplugs the camera; SIGUSR1 stops the picture, and starts it
again.

What it cannot do: dummy_hcd carries no isochronous transfers, hence the bulk endpoint, and gadgetfs cuts the answers of
the control endpoint at 256 bytes, hence few sizes. Now and then the kernel's driver overtakes it, and an open fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle
import mmap
import os
from pathlib import Path
import signal
import socket
import struct
import subprocess
import sys
import time
from typing import NoReturn

MAKER, NAME, SERIAL = "Example", "Test Camera", "0001"
RATES = (30, 15)
WIDEST_RAW = 640
LARGEST_PAYLOAD = 4 << 20
LONGEST_ANSWER = 256
GADGET = Path("/dev/gadget")
PICTURES = 0x81
"""The endpoint that pictures leave by."""

# What the USB and UVC specifications call the parts of a request.
GET_DESCRIPTOR, STRING = 6, 3
STANDARD_OUT, STANDARD_IN, INTERFACE_OUT, INTERFACE_IN, CLASS = 0x00, 0x80, 0x01, 0x81, 0x21
SET_CONFIGURATION, GET_INTERFACE, SET_INTERFACE = 9, 10, 11
SET_CUR, GET_CUR, GET_MIN, GET_MAX, GET_RES, GET_LEN, GET_INFO, GET_DEF = 1, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87
GET_AND_SET = b"\x03"
PROBE, COMMIT = 1, 2
PROCESSING_UNIT = 2
BRIGHTNESS, CONTRAST = 2, 3
MJPEG, YUYV = 1, 2
SETUP_EVENT = 3
FIRST_BIT, END_OF_FRAME, END_OF_HEADER = 0x01, 0x02, 0x80

YUY2 = b"YUY2\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"

Size = tuple[int, int]


def descriptor(*parts: int | bytes) -> bytes:
    body = b"".join(part if isinstance(part, bytes) else bytes((part,)) for part in parts)
    return bytes((len(body) + 1,)) + body


def u16(value: int) -> bytes:
    return struct.pack("<H", value)


def u32(value: int) -> bytes:
    return struct.pack("<I", value)


def interval(rate: int) -> int:
    """Return the time between two pictures in UVC's unit, 100 ns."""
    return 10_000_000 // rate


@dataclass(frozen=True)
class Pictures:
    """What the camera shows, by its sizes."""

    jpegs: dict[Size, list[bytes]]

    @classmethod
    def read(cls, folder: Path) -> Pictures:
        sizes = sorted((int(at.name.partition("x")[0]), int(at.name.partition("x")[2])) for at in folder.iterdir())
        return cls({(w, h): [f.read_bytes() for f in sorted((folder / f"{w}x{h}").iterdir())] for w, h in sizes})

    def sizes(self, number: int) -> list[Size]:
        """Return the sizes of a format."""
        return [size for size in self.jpegs if number == MJPEG or size[0] <= WIDEST_RAW]

    def of(self, number: int, size: Size) -> list[bytes]:
        """Return the pictures of a format and size: a grey ramp where they are raw."""
        if number == MJPEG:
            return self.jpegs[size]
        return [b"".join(bytes((column * 8 % 256, 128)) for column in range(size[0])) * size[1]]


def configuration(pictures: Pictures, packet: int) -> bytes:
    """Return the device's configuration: a control interface, and one that streams over a bulk endpoint."""
    terminals = [
        descriptor(0x24, 2, 1, u16(0x0201), 0, 0, u16(0), u16(0), u16(0), 3, b"\0\0\0"),
        descriptor(0x24, 5, PROCESSING_UNIT, 1, u16(0), 2, b"\x03\0", 0),
        descriptor(0x24, 3, 3, u16(0x0101), 0, PROCESSING_UNIT, 0),
    ]
    length = 13 + sum(map(len, terminals))
    control = descriptor(0x24, 1, u16(0x0100), u16(length), u32(48_000_000), 1, 1) + b"".join(terminals)
    jpeg, raw = pictures.sizes(MJPEG), pictures.sizes(YUYV)
    formats = [descriptor(0x24, 6, MJPEG, len(jpeg), 1, 1, 0, 0, 0, 0)]
    formats += [_frame(7, number, size) for number, size in enumerate(jpeg, 1)]
    formats += [descriptor(0x24, 4, YUYV, len(raw), YUY2, 16, 1, 0, 0, 0, 0)]
    formats += [_frame(5, number, size) for number, size in enumerate(raw, 1)]
    length = 15 + sum(map(len, formats))
    stream = descriptor(0x24, 1, 2, u16(length), PICTURES, 0, 3, 0, 0, 0, 1, 0, 0) + b"".join(formats)
    body = b"".join(
        [
            descriptor(0x0B, 0, 2, 0x0E, 3, 0, 2),
            descriptor(4, 0, 0, 0, 0x0E, 1, 0, 2) + control,
            descriptor(4, 1, 0, 1, 0x0E, 2, 0, 2) + stream,
            descriptor(5, PICTURES, 2, u16(packet), 0),
        ]
    )
    if 9 + len(body) > LONGEST_ANSWER:
        raise ValueError("too many sizes or rates")
    return descriptor(2, u16(9 + len(body)), 2, 1, 0, 0x80, 250) + body


def _frame(kind: int, number: int, size: Size) -> bytes:
    width, height = size
    bits, steps = width * height * 16, [interval(rate) for rate in RATES]
    sizes = u16(width) + u16(height) + u32(bits) + u32(bits * max(RATES)) + u32(bits // 8)
    return descriptor(0x24, kind, number, 0, sizes, u32(steps[0]), len(steps), b"".join(map(u32, steps)))


DEVICE = descriptor(1, u16(0x0200), 0xEF, 2, 1, 64, u16(0x1D6B), u16(0x0102), u16(0x0100), 1, 2, 3, 1)


class Pump:
    """Sends the pictures, in a process of its own: the control endpoint must never wait for them."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._shared = mmap.mmap(-1, 16)
        self.pid = 0

    def choose(self, number: int, frame: int, step: int) -> None:
        """Send this format, frame size and interval from now on."""
        self._shared[:8] = struct.pack("<HHI", number, frame, step)

    def hold(self) -> None:
        """Stop the picture, or start it again."""
        self._shared[8] ^= 1

    def start(self, control: int) -> None:
        self.pid = os.fork()
        if not self.pid:
            os.close(control)
            for each in (signal.SIGTERM, signal.SIGUSR1):
                signal.signal(each, signal.SIG_DFL)
            self._send_all()
        time.sleep(0.2)  # the endpoint is set up by then: it says nothing itself

    def _send_all(self) -> NoReturn:
        endpoint = os.open(GADGET / "ep1in-bulk", os.O_RDWR)
        os.write(endpoint, u32(1) + descriptor(5, PICTURES, 2, u16(64), 0) + descriptor(5, PICTURES, 2, u16(512), 0))
        toggle, due, chosen, pictures = 0, time.monotonic(), b"", cycle([b""])
        while True:
            while self._shared[8]:
                time.sleep(0.05)
            if self._shared[:8] != chosen:
                chosen = self._shared[:8]
                number, frame, step = struct.unpack("<HHI", chosen)
                pictures = cycle(self._pictures.of(number, self._pictures.sizes(number)[frame - 1]))
            payload = bytes((2, END_OF_HEADER | END_OF_FRAME | toggle)) + next(pictures)
            if number == MJPEG and len(payload) % 512 == 0:
                payload += b"\0"  # a short packet ends the picture
            try:
                os.write(endpoint, payload)
            except OSError as error:
                print("endpoint:", error, file=sys.stderr)
                time.sleep(0.2)
                continue
            toggle ^= FIRST_BIT
            due = max(due + step / 1e7, time.monotonic() - 0.1)
            time.sleep(max(0, due - time.monotonic()))


@dataclass
class Camera:
    """Answers the host's requests."""

    pictures: Pictures
    device: int
    pump: Pump
    controls: dict[int, list[int]] = field(
        default_factory=lambda: {BRIGHTNESS: [128, 0, 255, 128], CONTRAST: [32, 0, 64, 32]}
    )
    """By selector: the value, the least, the most, the default."""

    def __post_init__(self) -> None:
        first = (MJPEG, 1, interval(max(RATES)))
        self.chosen = {PROBE: first, COMMIT: first}
        self.pump.choose(*first)

    def answer(self, request: bytes, data: bytes) -> None:
        """Answer one request; one that is not known is refused, by a stall."""
        kind, what, value, index, length = struct.unpack("<BBHHH", request)
        answer: bytes | None = None
        if kind == STANDARD_OUT and what == SET_CONFIGURATION:
            if value and not self.pump.pid:
                self.pump.start(self.device)
            answer = b""
        elif kind == INTERFACE_OUT and what == SET_INTERFACE:
            answer = b""
        elif kind == INTERFACE_IN and what == GET_INTERFACE:
            answer = b"\0"
        elif kind == STANDARD_IN and what == GET_DESCRIPTOR and value >> 8 == STRING:
            answer = self._string(value & 0xFF)
        elif kind & 0x7F == CLASS:
            answer = self._class_request(what, value >> 8, index, data)
        if answer is None:
            self._stall(kind)
        elif kind & 0x80:
            os.write(self.device, answer[:length])
        elif not length:
            os.read(self.device, 0)

    def _stall(self, kind: int) -> None:
        try:
            if kind & 0x80:
                os.read(self.device, 0)  # the wrong direction is how gadgetfs is told to stall
            else:
                os.write(self.device, b"")
        except OSError:
            return

    @staticmethod
    def _string(number: int) -> bytes | None:
        if not number:
            return b"\x04\x03\x09\x04"
        text = {1: MAKER, 2: NAME, 3: SERIAL}.get(number)
        return descriptor(STRING, text.encode("utf-16-le")) if text else None

    def _class_request(self, what: int, selector: int, index: int, data: bytes) -> bytes | None:
        interface, unit = index & 0xFF, index >> 8
        if interface == 1 and selector in self.chosen:
            return self._negotiate(what, selector, data)
        if unit == PROCESSING_UNIT and selector in self.controls:
            return self._control(what, selector, data)
        return None

    def _negotiate(self, what: int, selector: int, data: bytes) -> bytes | None:
        if what == SET_CUR:
            self.chosen[selector] = self._settled(data)
            if selector == COMMIT:
                self.pump.choose(*self.chosen[COMMIT])
            return b""
        number, frame, step = self.chosen[selector]
        step = {GET_MIN: interval(max(RATES)), GET_MAX: interval(min(RATES))}.get(what, step)
        width, height = self.pictures.sizes(number)[frame - 1]
        offer = struct.pack("<HBBIHHHHHII", 1, number, frame, step, 0, 0, 0, 0, 0, width * height * 2, LARGEST_PAYLOAD)
        return {GET_LEN: u16(len(offer)), GET_INFO: GET_AND_SET}.get(what, offer)

    def _settled(self, wish: bytes) -> tuple[int, int, int]:
        """Return the nearest that there is, as a camera does."""
        _, number, frame, step = struct.unpack("<HBBI", wish[:8])
        number = number if number in (MJPEG, YUYV) else MJPEG
        frame = max(1, min(frame, len(self.pictures.sizes(number))))
        return number, frame, min((interval(rate) for rate in RATES), key=lambda each: abs(each - step))

    def _control(self, what: int, selector: int, data: bytes) -> bytes | None:
        control = self.controls[selector]
        if what == SET_CUR:
            control[0] = struct.unpack("<h", data[:2])[0]
            return b""
        now, least, most, default = (struct.pack("<h", number) for number in control)
        return {
            GET_CUR: now,
            GET_MIN: least,
            GET_MAX: most,
            GET_DEF: default,
            GET_RES: u16(1),
            GET_LEN: u16(2),
            GET_INFO: GET_AND_SET,
        }.get(what)


def plug(pictures: Pictures) -> int:
    """Plug the device in; return its control endpoint. Closing it unplugs it."""
    GADGET.mkdir(exist_ok=True)
    if not GADGET.is_mount():
        subprocess.run(["/run/busybox", "mount", "-t", "gadgetfs", "gadgetfs", GADGET], check=True)
    device = os.open(GADGET / "dummy_udc", os.O_RDWR)
    os.write(device, u32(0) + configuration(pictures, 64) + configuration(pictures, 512) + DEVICE)
    return device


def main(ep0: str, frames: str) -> None:
    pictures = Pictures.read(Path(frames))
    device = plug(pictures)
    pump = Pump(pictures)
    camera = Camera(pictures, device, pump)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control = subprocess.Popen([ep0, str(device), str(theirs.fileno())], pass_fds=(device, theirs.fileno()))
    theirs.close()

    def unplug(*_: object) -> NoReturn:
        control.kill()
        if pump.pid:
            os.kill(pump.pid, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, unplug)
    signal.signal(signal.SIGUSR1, lambda *_: pump.hold())
    while event := ours.recv(12 + LONGEST_ANSWER):
        if event[8] != SETUP_EVENT:
            continue
        request = event[:8]
        try:
            camera.answer(request, event[12:])
        except OSError as error:
            print("request", request.hex(), error, file=sys.stderr)
        if request[0] & 0x80 or not request[6]:
            ours.send(b".")  # ep0 may fetch the next


if __name__ == "__main__":
    main(*sys.argv[1:])
