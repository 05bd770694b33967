"""All that can be asked of a node: one table, which guards, answers and documents."""

from . import about, cameras, items, links, pairing, recordings, timelapses, viewing
from .route import PATTERNS, Route, Who

ROUTES: tuple[Route, ...] = (
    *about.ROUTES,
    *pairing.ROUTES,
    *cameras.ROUTES,
    *recordings.ROUTES,
    *timelapses.ROUTES,
    *items.ROUTES,
    *links.ROUTES,
    *viewing.ROUTES,
)

__all__ = ["PATTERNS", "ROUTES", "Route", "Who"]
