"""Who owns what: every lab has an id, a folder, and a lock that its owner holds while it lives.

The kernel gives the lock back when the owner dies, however it dies; a lab whose lock is free
and that was not kept on purpose is a leftover. The folders of all labs lie in the state folder,
which is marked as meshproof's own as each of them is (``meshproof.owned``).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from meshproof.errors import LabError, MeshproofError, UsageError
from meshproof.owned import (
    LAB,
    STATE,
    NotOursError,
    check_owned,
    delete_owned,
    is_deletable,
    is_owned,
    make_owned,
)
from meshproof.paths import state_dir
from meshproof.reading import file_errors, read_text

_PREFIX = "mp"
_ID = re.compile(r"[0-9a-f]{8}")
_SHOWN = 40
"""How much of what is no id is repeated."""


class LabInUseError(LabError):
    """A lab was to be taken that a living process uses."""

    def __init__(self, lab_id: str) -> None:
        super().__init__(f"lab {lab_id} is in use by another process", "end that one first")


def new_id() -> str:
    """A lab's id: eight hexadecimal digits, part of every name that the lab uses."""
    return secrets.token_hex(4)


def is_lab_id(text: str) -> bool:
    """Whether this is what ``new_id`` gives, whoever says it: eight hexadecimal digits."""
    return _ID.fullmatch(text) is not None


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
    ``digests``: of what those files said, by which a lab is known to be made of the same;
    ``networks``: engine network by place; ``kept``: stays when its owner ends; ``subnets``: of
    those networks, by cluster; ``nodes``: by cluster, each node's address by its container;
    ``pool``: what the subnets were taken from, named or found; "" where that is not noted;
    ``sites``: by machine, the place on whose network it is; ``machines``: their addresses;
    ``own``: of clusters of one's own, by which context of which kubeconfig each is reached.
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
    subnets: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    pool: str = ""
    digests: dict[str, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    machines: dict[str, str] = field(default_factory=dict)
    own: dict[str, dict[str, str]] = field(default_factory=dict)


_DESCRIPTION = TypeAdapter(Description)


class Claim:
    """A lab's folder and lock.

    Raises UsageError for what is no lab's id: all that a lab has is found, and removed, by it.
    """

    def __init__(self, lab_id: str) -> None:
        if not is_lab_id(lab_id):
            shown = lab_id if len(lab_id) <= _SHOWN else f"{lab_id[:_SHOWN]}…"
            raise UsageError(
                f"{shown!r} is no lab's id",
                "give eight hexadecimal digits, as 'meshproof status' shows them",
            )
        self.id = lab_id
        self.folder = labs_dir() / lab_id
        self._description = self.folder / "lab.json"
        self._lock_file = labs_dir() / f"{lab_id}.lock"
        self._lock = FileLock(self._lock_file, timeout=0, thread_local=False)

    def take(self) -> None:
        """Take the lock and make the folder (mode 0700), marked as a lab's.

        Raises LabInUseError when a living process has the lock; NotOursError when the state
        folder, or a folder of this name in it, is somebody else's; MeshproofError when the
        system refuses.
        """
        make_owned(real_state_dir(), STATE)
        with file_errors(labs_dir(), "the labs' folder", doing="make"):
            labs_dir().mkdir(mode=0o700, exist_ok=True)
        self._acquire()
        try:
            make_owned(self.folder, LAB)
        except BaseException:
            self._give_up_lock()
            raise

    def release(self) -> None:
        """Give the lock back; the folder stays."""
        self._lock.release()

    def forget(self) -> None:
        """Remove folder and lock: nothing of this lab is left.

        Raises NotOursError when the folder is not marked as a lab's, LabInUseError when a
        living process has the lock, MeshproofError when the folder cannot be deleted.
        """
        if not self._lock.is_locked:
            if not (_is_there(self.folder) or _is_there(self._lock_file)):
                return
            self._acquire()
        try:
            delete_owned(self.folder, LAB, within=labs_dir())
            with file_errors(self._lock_file, "the lock", doing="delete"):
                _unlink_regular(self._lock_file)
        finally:
            self._lock.release()

    @property
    def has_folder(self) -> bool:
        """Whether the lab has a folder that is ours: marked, or empty."""
        return _is_ours(labs_dir()) and is_deletable(self.folder, LAB)

    @property
    def is_free(self) -> bool:
        """Whether no living process holds the lock (the caller does not hold it either).

        Makes nothing. Raises NotOursError when there is something else in the lock's place.
        """
        if not _is_there(self._lock_file):
            return True
        try:
            self._acquire()
        except LabInUseError:
            return False
        self._lock.release()
        return True

    def write(self, description: Description) -> None:
        """Write the description down, whole or not at all. Raises MeshproofError when it cannot."""
        draft, final = self.folder / "lab.json.new", self._description
        with file_errors(final, "the lab's description", doing="write"):
            with draft.open("w", encoding="utf-8") as file:
                file.write(json.dumps(asdict(description), indent=2))
                file.flush()
                os.fsync(file.fileno())  # what is kept must be known for it after a power cut
            draft.replace(final)

    def read(self) -> Description | None:
        """The description; None when there is none that can be read.

        A lab that was interrupted has not got one yet, and must still be found and removed.
        """
        try:
            text = read_text(self._description, "the lab's description")
            description = _DESCRIPTION.validate_json(text, strict=True)
        except (MeshproofError, ValidationError):
            return None
        return description if description.id == self.id else None

    @property
    def is_unreadable(self) -> bool:
        """Whether there is a description that cannot be read: written whole or not at all, it was
        damaged afterwards, and may be of a lab that was kept."""
        return _is_there(self._description) and self.read() is None

    def _acquire(self) -> None:
        check_owned(real_state_dir(), STATE)
        if labs_dir().is_symlink() or (_is_there(self._lock_file) and not self._has_lock_file):
            raise NotOursError(
                f"{self._lock_file} is no lock of meshproof's", "look at it, and remove it"
            )
        with file_errors(self._lock_file, "the lock", doing="take"):
            try:
                self._lock.acquire()
            except Timeout:
                raise LabInUseError(self.id) from None

    def _give_up_lock(self) -> None:
        with suppress(OSError):
            _unlink_regular(self._lock_file)
        self._lock.release()

    @property
    def _has_lock_file(self) -> bool:
        return _is_regular(self._lock_file)


def real_state_dir() -> Path:
    """The state folder, where it really is: it may be reached by a link, what is in it may not."""
    return Path(os.path.realpath(state_dir()))


def labs_dir() -> Path:
    """The folder of all labs of this user."""
    return state_dir() / "labs"


def claims() -> Iterator[Claim]:
    """A claim for every lab that has left a folder or a lock; what else lies there is passed over.

    Raises MeshproofError when the labs' folder cannot be read.
    """
    with file_errors(labs_dir(), "the labs' folder"):
        try:
            found = sorted(labs_dir().iterdir())
        except FileNotFoundError:
            return
    ids = [path.name.removesuffix(".lock") for path in found if _is_of_a_lab(path)]
    for lab_id in dict.fromkeys(ids if _is_ours(labs_dir()) else []):
        yield Claim(lab_id)


def _is_of_a_lab(path: Path) -> bool:
    """Whether a path in the labs' folder is a lab's folder or lock, by name and by what it is."""
    if path.name.endswith(".lock"):
        return is_lab_id(path.stem) and _is_regular(path)
    return is_lab_id(path.name) and is_deletable(path, LAB)


def _is_ours(labs: Path) -> bool:
    return is_owned(real_state_dir(), STATE) and not labs.is_symlink()


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _unlink_regular(path: Path) -> None:
    if _is_regular(path):
        path.unlink(missing_ok=True)
