"""Bring over the configuration of another program: say what becomes of each setting, and on request write it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
import asyncio
from collections.abc import Iterable, Iterator
import os
from pathlib import Path
import sys

from ...engine.archive import Archive
from ...engine.errors import DeviceMissing, InvalidConfiguration, NoPicamera2, NotUnderstood
from ...engine.importers import (
    FORMATS,
    Adopter,
    Adoption,
    Around,
    Import,
    Imported,
    Line,
    read,
    read_environment,
    recognise,
)
from ...engine.sources import csi
from ..bringing import Brought, brought, merged, parsed, shown
from ..config import NodeConfig, ToolPaths
from ..configuration import CONFIG, PLACES, build, find
from ..tools import tools
from ..zone import local_zone

STDIN = "-"

MODE = 0o600
"""The file will hold passwords."""

SHOWN = 20
"""Names of odd files that are listed; the rest is counted."""


def add_arguments(parser: ArgumentParser) -> None:
    """Have what to read, and where to write."""
    parser.add_argument("file", metavar="FILE", help=f"a compose file, .env, crowsnest.conf, …; {STDIN} for stdin")
    parser.add_argument("--from", dest="kind", choices=sorted(FORMATS), help="what it belongs to; else it tells itself")
    parser.add_argument("--env", metavar="FILE", help="the .env beside a compose file, which its ${…} come from")
    parser.add_argument("--pictures", metavar="FOLDER", help="Byggeplass Kamera: where its container's /data is here")
    parser.add_argument("--write", action="store_true", help="add the cameras to the configuration file")
    parser.add_argument("--config", metavar="FILE", help=f"the configuration file, also {CONFIG}")


def run(arguments: Namespace) -> int:
    """Print what was understood and what not; with `--write`, write it and take pictures of before over."""
    text = sys.stdin.read() if arguments.file == STDIN else _text(arguments.file)
    kind = arguments.kind or recognise(text)
    around = Around(
        variables=read_environment(_text(arguments.env)) if arguments.env else {},
        csi=asyncio.run(_csi_camera()) if kind == "motion_in_ocean" else "",
        pictures=Path(arguments.pictures).expanduser() if arguments.pictures else None,
    )
    found = read(text, kind, around)
    print("\n".join(report(found, FORMATS[kind].title)))
    path = find(os.environ, arguments.config) or Path(PLACES[1 if os.geteuid() == 0 else 0]).expanduser()
    before = _text(path) if path.exists() else ""
    after = brought(found, before, str(path))
    if not arguments.write:
        print(f"\nWith --write, this is added to {path}:\n")
        print(shown(after, found), end="")
        return 0
    if not found.cameras:
        print("\nNothing is written: there is no camera.", file=sys.stderr)
        return 1
    config = _write(path, merged(before, after))
    new = ", ".join(camera.id for camera in after.cameras if camera.text)
    print(f"\n{path} has {new} now. Next: tripod-node check" if new else f"\n{path} has these cameras already.")
    _adopt(config, zip(after.cameras, found.cameras, strict=True))
    return 0


def report(found: Import, title: str) -> Iterator[str]:
    """Yield the lines that say what becomes of each setting."""
    yield f"{title}: {len(found.cameras) or 'no'} camera{'s' * (len(found.cameras) != 1)}"
    for heading, lines in (
        ("Understood", found.understood),
        ("Not needed here", found.not_needed),
        ("Not understood, and lost unless you see to it", found.not_understood),
    ):
        if lines:
            yield from ("", f"{heading}:", *map(_line, lines))
    for camera in found.cameras:
        yield from (f"\nNote on {camera.title}: {note}" for note in camera.notes)


def _line(line: Line) -> str:
    said = f"{line.name} = {line.value}" if line.value else line.name
    return f"  {said}: {line.meaning}"


def _text(path: str | Path) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise NotUnderstood("it is not text in UTF-8", what=str(path)) from error
    except OSError as error:
        raise NotUnderstood(error.strerror or "it cannot be read", what=str(path)) from error


async def _csi_camera() -> str:
    """Return libcamera's Id of the first camera at a CSI connector; empty where there is none."""
    try:
        cameras = await csi.list_cameras(tools(ToolPaths()))
    except (DeviceMissing, NoPicamera2):
        return ""
    return cameras[0].id if cameras else ""


def _write(path: Path, text: str) -> NodeConfig:
    """Write the configuration, whole or not at all, if it is one; raises `InvalidConfiguration`."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch(MODE)
        part.write_text(text, encoding="utf-8")
        config = build(parsed(text, str(path)), str(path), path.parent, os.environ)
        if path.exists():
            status = path.stat()
            part.chmod(status.st_mode & 0o777)
            os.chown(part, status.st_uid, status.st_gid)
        part.replace(path)
    except OSError as error:
        raise InvalidConfiguration(f"it cannot be written: {error.strerror}", where=str(path)) from error
    finally:
        part.unlink(missing_ok=True)
    return config


def _adopt(config: NodeConfig, cameras: Iterable[tuple[Brought, Imported]]) -> None:
    """Take over the pictures of before that are on this host, and say how it goes."""
    for written, camera in cameras:
        for adoption in camera.adopt:
            if adoption.folder.is_dir():
                _adopt_folder(config, written.id, adoption)


def _adopt_folder(config: NodeConfig, camera_id: str, adoption: Adoption) -> None:
    root = config.archive / camera_id
    archive = Archive(root, camera_id, zone=local_zone(), floor=config.floor)
    if not root.exists():  # else a running node may have it open
        root.parent.mkdir(parents=True, exist_ok=True)
        archive.open()
        archive.close()
    adopter = Adopter(archive, adoption)
    adopter.look()
    odd, done, new = list(adopter.odd), 0, 0
    for day in adopter.run():
        done, new = done + day.new + day.known + len(day.odd), new + day.new
        odd += day.odd
        _progress(f"{adoption.folder}: {done} of {adopter.total}")
    _progress("")
    print(f"{adoption.folder}: {new} pictures are frames of {adoption.job} now, where they lie")
    if odd:
        more = f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        print(f"  not adopted, and left there: {', '.join(sorted(odd)[:SHOWN])}{more}")
    _give_to_owner(root, config.archive)


def _give_to_owner(root: Path, archive: Path) -> None:
    """Let the node's user own what root has made."""
    if os.geteuid() != 0:
        return
    owner = archive.parent.stat()
    for folder, folders, names in os.walk(root):
        for name in (".", *folders, *(name for name in names if name.startswith("."))):
            os.chown(Path(folder, name), owner.st_uid, owner.st_gid)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
