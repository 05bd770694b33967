"""Set-ups of other programs, as small as they come: names and forms are theirs, values are made up."""

from pathlib import Path

FOLDER = Path(__file__).parent


def text(name: str) -> str:
    """Return what one file says."""
    return (FOLDER / name).read_text()
