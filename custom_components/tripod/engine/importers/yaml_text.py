"""YAML that others wrote: read as data, nothing in it is made an object or looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import NotUnderstood

try:
    import yaml
except ImportError:  # a node's system may lack it; Home Assistant has it
    yaml = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Tagged:
    """What stands for something outside of the text, such as `!secret door_password`."""

    tag: str
    value: str

    def __str__(self) -> str:
        """Return it as it was written."""
        return f"{self.tag} {self.value}"


def load(text: str, what: str) -> Any:
    """Return what `text` says; raises `NotUnderstood`, also where nothing here can read YAML."""
    if yaml is None:
        raise NotUnderstood("python3-yaml is not installed: sudo apt install python3-yaml", what=what)

    class Loader(yaml.SafeLoader):
        """Keeps Home Assistant's own tags as they are."""

    def tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Tagged:
        return Tagged(f"!{suffix}", node.value if isinstance(node, yaml.ScalarNode) else "…")

    Loader.add_multi_constructor("!", tagged)
    try:
        return yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "it is no YAML"
        raise NotUnderstood(f"{where}: {getattr(error, 'problem', None) or 'it cannot be read'}", what=what) from error
