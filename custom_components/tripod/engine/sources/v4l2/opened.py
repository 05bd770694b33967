"""Open a node, and say in the one way why that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
import errno
import os
from typing import TYPE_CHECKING

from ...errors import DeviceBusy, DeviceMissing, FormatNotSupported, NoPermission, SourceFailed, TripodError
from .holders import explained

if TYPE_CHECKING:
    from .ioctls import Node

OpenNode = Callable[[str], AbstractContextManager["Node"]]

_CAUSES: dict[int | None, type[TripodError]] = {
    errno.ENOENT: DeviceMissing,
    errno.ENODEV: DeviceMissing,
    errno.ENXIO: DeviceMissing,
    errno.EBUSY: DeviceBusy,
    errno.EACCES: NoPermission,
    errno.EPERM: NoPermission,
    errno.ENOTTY: FormatNotSupported,
    errno.EINVAL: FormatNotSupported,
}


@contextmanager
def open_node(path: str) -> Iterator[Node]:
    """Open the node at `path` while another process may stream from it. Blocks: for the executor.

    Raises a `TripodError` where it cannot be opened, and where it stops answering.
    """
    from .ioctls import Node  # noqa: PLC0415 - linuxpy takes seconds to import on a small machine

    try:
        # O_NONBLOCK: a tuner without a signal must not be waited for
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise explained(explain(error, path), path) from error
    try:
        yield Node(descriptor)
    except OSError as error:
        raise explain(error, path) from error
    finally:
        os.close(descriptor)


def explain(error: OSError, path: str) -> TripodError:
    """Return what the system's error means for the device at `path`."""
    return _CAUSES.get(error.errno, SourceFailed)(f"{path}: {error.strerror}")
