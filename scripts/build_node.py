"""Put the node, the engine and the packages that they bring with them into one file that Python runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import hashlib
from pathlib import Path
import re
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

REPOSITORY = Path(__file__).resolve().parent.parent
TRIPOD = REPOSITORY / "custom_components/tripod"
PYTHON = b"#!/usr/bin/env python3\n"

ITS_OWN = (r"(engine|node)/.*(?<!\.pyc)", r"manifest\.json")
"""What of Tripod a node is made of, besides the line that makes a package of it."""

BROUGHT = (
    r"aiomqtt/\w+\.py",
    r"linuxpy/\w+\.py",
    r"linuxpy/video/(__init__|raw|util)\.py",
    r"paho/(\w+/)*\w+\.py",
    r"[\w.-]+\.dist-info/(METADATA|LICEN[CS]E.*|licenses/.*)",
)
"""What of other packages it needs."""

BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
"""For zip files."""


def main() -> None:
    """Build what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="the folder in which the packages are installed")
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    files = dict(sorted(contents(arguments.bundle)))
    build = hashlib.sha256()
    for name, data in files.items():
        build.update(b"%s %d\n" % (name.encode(), len(data)) + data)
    files["build"] = build.hexdigest()[:32].encode()
    write(arguments.target, files)
    print(f"{arguments.target}: {arguments.target.stat().st_size / 1e6:.1f} MB, build {build.hexdigest()[:12]}")


def contents(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Return all files by their names in the zip."""
    yield "__main__.py", (TRIPOD / "node/bootstrap.py").read_bytes()
    yield "LICENSE", (REPOSITORY / "LICENSE").read_bytes()
    yield "tripod/__init__.py", b'"""A Tripod node."""\n'
    for name, path in within(TRIPOD, ITS_OWN):
        yield f"tripod/{name}", path.read_bytes()
    for name, path in within(bundle, BROUGHT):
        yield name, path.read_bytes()


def within(folder: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Return the files below `folder` that are wanted."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and any(re.fullmatch(pattern, name) for pattern in wanted):
            yield name, path


def write(target: Path, files: dict[str, bytes]) -> None:
    """Write the zip file, whole or not at all, with nothing in it that says when or by whom."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".part")
    with beside.open("wb") as out:
        out.write(PYTHON)
        with ZipFile(out, "w") as archive:
            for name, data in files.items():
                entry = ZipInfo(name, BEGINNING_OF_TIME)
                entry.compress_type = ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, data, compresslevel=9)
    beside.chmod(0o755)
    beside.replace(target)


if __name__ == "__main__":
    main()
