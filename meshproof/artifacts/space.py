"""Says in one sentence when the disk is full, whoever noticed it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshproof.errors import ArtifactError, CommandError

_GIB = 2**30
_SAID = "no space left on device"


@contextmanager
def full_disk_explained(what: str, folder: Path, needed: int) -> Iterator[None]:
    """Turn "no space left" into an ArtifactError, from Python as well as from programs.

    ``needed``: bytes that making ``what`` takes in ``folder``'s file system.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _disk_full(what, folder, needed) from error
    except CommandError as error:
        if _SAID not in (error.stderr + error.stdout).lower():
            raise
        raise _disk_full(what, folder, needed) from error


def _disk_full(what: str, folder: Path, needed: int) -> ArtifactError:
    home = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(home).free / _GIB
    return ArtifactError(
        f"the disk is full: making {what} needs about {needed / _GIB:.0f} GiB, "
        f"{free:.1f} GiB are free where {folder} is",
        "run 'meshproof artifacts prune', free some space, "
        "or let MESHPROOF_STORE name a folder on a larger disk",
    )
