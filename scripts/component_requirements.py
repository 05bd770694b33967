"""Print the Python packages that Home Assistant's components need, read from the manifests of the one installed here.

Home Assistant installs them itself when it first loads a component, which takes minutes and a network. Set-up installs
them beforehand, so that it starts at once and offline.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
import json
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


def component_folders() -> list[Path]:
    """Return the folders that hold components: this repository's own and Home Assistant's."""
    spec = find_spec("homeassistant")
    if spec is None or not spec.submodule_search_locations:
        message = "Home Assistant is not installed in this environment"
        raise SystemExit(message)
    return [REPOSITORY / "custom_components", Path(spec.submodule_search_locations[0]) / "components"]


def always_loaded() -> set[str]:
    """Return the components that Home Assistant sets up whatever its configuration says."""
    from homeassistant import bootstrap  # noqa: PLC0415 - takes a second, and only one caller needs it

    return bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS


def manifests(components: set[str]) -> list[dict[str, Any]]:
    """Return the manifests of `components` and of all that they depend on."""
    folders = component_folders()
    found: dict[str, dict[str, Any]] = {}
    todo = set(components)
    while todo:
        domain = todo.pop()
        path = next(path for folder in folders if (path := folder / domain / "manifest.json").exists())
        found[domain] = manifest = json.loads(path.read_text())
        todo |= {*manifest.get("dependencies", ()), *manifest.get("after_dependencies", ())} - found.keys()
    return list(found.values())


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", action="store_true", help="also what Home Assistant always loads when it starts")
    parser.add_argument("component", nargs="*")
    arguments = parser.parse_args()
    components = set(arguments.component) | (always_loaded() if arguments.start else set())
    needed = {requirement for manifest in manifests(components) for requirement in manifest.get("requirements", ())}
    print("\n".join(sorted(needed)))


if __name__ == "__main__":
    main()
