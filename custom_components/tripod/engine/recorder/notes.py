"""What a recording under way notes beside its stretches, so that it can be finished whatever happens to the program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
import errno
import json
from pathlib import Path

from ..archive import files
from .container import Container

_NAME = "recording.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What the stretches themselves do not tell."""

    asked_at: datetime
    started_at: datetime
    """When the first picture was taken."""
    container: Container
    name: str | None
    """What the file shall be called, instead of by its time."""

    @property
    def pre_roll(self) -> float:
        """Seconds that the recording began before it was asked for."""
        return max(0.0, (self.asked_at - self.started_at).total_seconds())

    def save(self, folder: Path) -> None:
        """Write them; raises `OSError`."""
        facts = {
            "asked_at": self.asked_at.isoformat(),
            "started_at": self.started_at.isoformat(),
            "container": self.container,
            "name": self.name,
        }
        files.write(folder / _NAME, json.dumps(facts).encode())

    @classmethod
    def load(cls, folder: Path) -> Notes | None:
        """Read them back; None where a recording had not begun. Raises `OSError`."""
        try:
            facts = json.loads((folder / _NAME).read_bytes())
            return cls(
                asked_at=datetime.fromisoformat(facts["asked_at"]),
                started_at=datetime.fromisoformat(facts["started_at"]),
                container=Container(facts["container"]),
                name=facts["name"],
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise OSError(errno.EIO, f"{_NAME} is damaged: {error}") from error
