"""Who owns what: every lab has an id, a folder, and a lock that its owner holds while it lives.

The kernel gives the lock back when the owner dies, however it dies; a lab whose lock is free
and that was not kept on purpose is a leftover.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from meshproof.errors import LabError
from meshproof.paths import state_dir

_PREFIX = "mp"


def new_id() -> str:
    """A lab's id: eight hexadecimal digits, part of every name that the lab uses."""
    return secrets.token_hex(4)


def object_name(lab_id: str, what: str) -> str:
    """The name of a lab's container, network or cluster, for example "mp-0a1b2c3d-east"."""
    return f"{_PREFIX}-{lab_id}-{what}"


def table_name(lab_id: str) -> str:
    """The name of a lab's nft table on the host."""
    return f"meshproof_{lab_id}"


@dataclass
class Description:
    """What is written down about a lab so that another process can find, use or remove it.

    ``created``: seconds since the epoch; ``footprint``: kind configuration by cluster;
    ``networks``: engine network by cluster; ``kept``: stays when its owner ends.
    """

    id: str
    engine: str
    created: float
    owner: int
    kubernetes: str
    footprint: dict[str, str]
    networks: dict[str, str]
    node_image: str
    wiring: str = "isolated"
    kept: bool = False
    ready: bool = False


class Claim:
    """A lab's folder and lock. Used as a context manager it gives the lock back, nothing more."""

    def __init__(self, lab_id: str) -> None:
        self.id = lab_id
        self.folder = labs_dir() / lab_id
        self._lock = FileLock(labs_dir() / f"{lab_id}.lock", timeout=0)

    def take(self) -> None:
        """Make the folder (mode 0700) and take the lock. Raises LabError when another has it."""
        labs_dir().mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._lock.acquire()
        except Timeout:
            raise LabError(f"lab {self.id} is in use by another process") from None
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def release(self) -> None:
        """Give the lock back; the folder stays."""
        self._lock.release()

    def forget(self) -> None:
        """Remove folder and lock: nothing of this lab is left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    @property
    def is_free(self) -> bool:
        """Whether no living process holds the lock (the caller does not hold it either)."""
        try:
            with self._lock:
                return True
        except Timeout:
            return False

    def write(self, description: Description) -> None:
        """Write the description down, whole or not at all."""
        draft = self.folder / "lab.json.new"
        draft.write_text(json.dumps(asdict(description), indent=2), encoding="utf-8")
        draft.replace(self.folder / "lab.json")

    def read(self) -> Description | None:
        """The description, or None when the lab was interrupted before it was written."""
        try:
            return Description(**json.loads((self.folder / "lab.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None


def labs_dir() -> Path:
    """The folder of all labs of this user."""
    return state_dir() / "labs"


def claims() -> Iterator[Claim]:
    """A claim for every lab that has left a folder or a lock."""
    if not labs_dir().is_dir():
        return
    found = sorted(labs_dir().iterdir())
    for lab_id in dict.fromkeys(path.stem for path in found):
        yield Claim(lab_id)
