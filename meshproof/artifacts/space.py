"""Says in one sentence when the disk is full, whoever noticed it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meshproof.errors import ArtifactError, CommandError, MeshproofError

_GIB = 2**30
_SAID = "no space left on device"


@contextmanager
def full_disk_explained(what: str, folder: Path, needed: int) -> Iterator[None]:
    """Turn "no space left" into an ArtifactError, from Python as well as from programs.

    ``needed``: bytes that making ``what`` takes in ``folder``'s file system.
    """
    try:
        yield
    except (OSError, MeshproofError) as error:
        if isinstance(error, ArtifactError) or not _tells_of_full_disk(error):
            raise
        raise _disk_full(what, folder, needed) from error


def _tells_of_full_disk(error: OSError | MeshproofError) -> bool:
    """Whether it is such an error, or one that was made of such an error."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        return cause.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, CommandError) and _SAID in (error.stderr + error.stdout).lower()


def _disk_full(what: str, folder: Path, needed: int) -> ArtifactError:
    home = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(home).free / _GIB
    return ArtifactError(
        f"the disk is full: making {what} needs about {needed / _GIB:.0f} GiB, "
        f"{free:.1f} GiB are free where {folder} is",
        "run 'meshproof artifacts prune', free some space, "
        "or let MESHPROOF_STORE name a folder on a larger disk",
    )
