"""Microphones, from what the kernel says: trees as it shows them, of the virtual cards and of a webcam."""

from __future__ import annotations

from pathlib import Path

from custom_components.tripod.engine.sources.alsa import Microphone, list_microphones, suggest

VIRTUAL = """\
 0 [Loopback       ]: Loopback - Loopback
                      Loopback 1
 1 [Dummy          ]: Dummy - Dummy
                      Dummy 1
"""
WEBCAM = """\
 0 [PCH            ]: HDA-Intel - HDA Intel PCH
                      HDA Intel PCH at 0xf7f10000 irq 31
 1 [C920           ]: USB-Audio - HD Pro Webcam C920
                      HD Pro Webcam C920 at usb-0000:00:14.0-1, high speed
 2 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
"""
INFO = """\
card: {card}
device: {device}
subdevice: 0
stream: {stream}
id: {name}
name: {name}
subname: subdevice #0
class: 0
subclass: 0
subdevices_count: 1
subdevices_avail: 1
"""


class Kernel:
    """A tree like /proc/asound, one like /sys/class/sound, and the devices that the latter links to."""

    def __init__(self, root: Path, cards: str) -> None:
        self.proc, self.sys, self.devices = root / "asound", root / "class", root / "devices"
        self.proc.mkdir()
        self.sys.mkdir()
        (self.proc / "cards").write_text(cards)

    def pcm(self, card: int, device: int, name: str, stream: str = "CAPTURE") -> None:
        folder = self.proc / f"card{card}" / f"pcm{device}{stream[0].lower()}"
        folder.mkdir(parents=True)
        (folder / "info").write_text(INFO.format(card=card, device=device, stream=stream, name=name))

    def device(self, card: int, path: str, usb: str = "") -> None:
        place = self.devices / path
        place.mkdir(parents=True)
        if usb:
            (self.devices / usb / "idVendor").write_text("046d\n")
        (self.sys / f"card{card}").mkdir()
        (self.sys / f"card{card}" / "device").symlink_to(place)

    async def list(self) -> list[Microphone]:
        return await list_microphones(self.proc, self.sys)


async def test_the_virtual_cards(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, VIRTUAL)
    for card, device, name in ((0, 0, "Loopback PCM"), (0, 1, "Loopback PCM"), (1, 0, "Dummy PCM")):
        kernel.pcm(card, device, name)
        kernel.pcm(card, device, name, "PLAYBACK")
    kernel.device(0, "platform/snd_aloop.0")
    kernel.device(1, "platform/snd_dummy.0")
    assert await kernel.list() == [
        Microphone(device="plughw:CARD=Loopback,DEV=0", name="Loopback: Loopback PCM", usb=""),
        Microphone(device="plughw:CARD=Loopback,DEV=1", name="Loopback: Loopback PCM", usb=""),
        Microphone(device="plughw:CARD=Dummy,DEV=0", name="Dummy", usb=""),
    ]


async def test_a_webcams_microphone_is_known_by_its_usb_device(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, WEBCAM)
    kernel.pcm(0, 0, "ALC887-VD Analog")
    kernel.pcm(0, 10, "ALC887-VD Alt")
    kernel.pcm(0, 2, "ALC887-VD Alt Analog")
    kernel.pcm(1, 0, "USB Audio")
    kernel.pcm(2, 0, "MAI PCM", "PLAYBACK")
    kernel.device(0, "pci0000:00/0000:00:1b.0")
    kernel.device(1, "pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.2", usb="pci0000:00/0000:00:14.0/usb1/1-1")
    kernel.device(2, "platform/soc/hdmi")
    found = await kernel.list()
    usb = str((kernel.devices / "pci0000:00/0000:00:14.0/usb1/1-1").resolve())
    assert [(microphone.device, microphone.name) for microphone in found] == [
        ("plughw:CARD=PCH,DEV=0", "HDA Intel PCH: ALC887-VD Analog"),
        ("plughw:CARD=PCH,DEV=2", "HDA Intel PCH: ALC887-VD Alt Analog"),
        ("plughw:CARD=PCH,DEV=10", "HDA Intel PCH: ALC887-VD Alt"),
        ("plughw:CARD=C920,DEV=0", "HD Pro Webcam C920"),
    ]
    assert suggest(found, usb) == Microphone(device="plughw:CARD=C920,DEV=0", name="HD Pro Webcam C920", usb=usb)
    assert suggest(found, "") is None
    assert suggest(found, usb + "2") is None


async def test_no_sound_system_means_no_microphones(tmp_path: Path) -> None:
    assert await list_microphones(tmp_path / "nothing", tmp_path / "nothing") == []
    assert await Kernel(tmp_path, "--- no soundcards ---\n").list() == []


async def test_a_card_that_goes_while_it_is_looked_at(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path, WEBCAM)
    (kernel.proc / "card1/pcm0c/info").mkdir(parents=True)  # so that it cannot be read
    (kernel.sys / "card1").mkdir()
    (kernel.sys / "card1/device").symlink_to("gone")
    assert await kernel.list() == [Microphone(device="plughw:CARD=C920,DEV=0", name="HD Pro Webcam C920", usb="")]
