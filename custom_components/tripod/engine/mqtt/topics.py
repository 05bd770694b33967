"""The topics of one camera, all under a prefix of its own."""

from __future__ import annotations

from dataclasses import dataclass
import re
import unicodedata

from ..errors import InvalidConfiguration

ROOT = "tripod"
"""Above the cameras whose prefix nobody chose."""

LONGEST_PREFIX = 200
"""Bytes: brokers and their access lists take far more, people do not."""

_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Topics:
    """Where a camera listens and speaks."""

    prefix: str

    @property
    def settings(self) -> str:
        """Takes `control value`."""
        return f"{self.prefix}/control/settings"

    @property
    def action(self) -> str:
        """Takes `picture`, `record 30`, `stop` and the like."""
        return f"{self.prefix}/control/action"

    @property
    def status(self) -> str:
        """Tells people what happened."""
        return f"{self.prefix}/status"

    @property
    def facts(self) -> str:
        """Tells programs how the camera is; kept by the broker."""
        return f"{self.prefix}/status/json"

    @property
    def reply(self) -> str:
        """Tells what became of each command."""
        return f"{self.prefix}/reply"

    @property
    def availability(self) -> str:
        """`online` or `offline`; kept by the broker."""
        return f"{self.prefix}/availability"

    @property
    def commands(self) -> tuple[str, ...]:
        """Those to subscribe to."""
        return (self.settings, self.action)


def check_prefix(prefix: str, where: str = "mqtt") -> str:
    """Return `prefix` if topics can begin with it; raises `InvalidConfiguration`."""
    if not prefix or len(prefix.encode(errors="replace")) > LONGEST_PREFIX:
        raise InvalidConfiguration(f"a prefix has 1 to {LONGEST_PREFIX} bytes", where=where)
    if any(character in "+#" or unicodedata.category(character).startswith("C") for character in prefix):
        raise InvalidConfiguration("a prefix has no + and no #, and nothing that cannot be seen", where=where)
    if prefix.startswith("$") or "" in prefix.split("/"):
        raise InvalidConfiguration("a prefix begins with no $, and has a word before and after each /", where=where)
    return prefix


def default_prefix(name: str) -> str:
    """Return the prefix of a camera whose prefix nobody chose, by its name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{ROOT}/{_NOT_IN_SLUGS.sub('_', plain).strip('_') or 'camera'}"
