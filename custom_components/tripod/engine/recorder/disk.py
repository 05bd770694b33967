"""Why a disk refused."""

from __future__ import annotations

from pathlib import Path

from ..archive import Archive, files
from ..errors import ArchiveMissing, NotWritable, TripodError


def reason(error: OSError | TripodError, archive: Archive, folder: Path) -> TripodError:
    """Return what the user is told of `error`, which came up in `folder`; blocks.

    A disk that is gone, or takes nothing any more, is what matters, whatever a program made of that.
    """
    try:
        archive.check()
    except (ArchiveMissing, NotWritable) as trouble:
        return trouble
    except TripodError:
        pass
    return error if isinstance(error, TripodError) else files.explain(error, folder)
