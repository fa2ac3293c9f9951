"""Decides which folders may be deleted: those that meshproof made itself, and no others.

A folder is marked when it is made. What is to be deleted must be a real folder (no link), lie
directly in the folder where its kind lives, and hold the mark of that kind; or it is a part of
a marked folder, and no link on the way to it. Nothing is deleted through a mount. Nothing else
in meshproof deletes a folder that outlives one step.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path

from meshproof.errors import MeshproofError, UsageError
from meshproof.reading import file_errors

MARK = ".meshproof"
"""The file that marks a folder as meshproof's own; it says of which kind."""
LAB = "lab"
STATE = "state folder"
STORE = "store"

_VARIABLES = {STATE: "MESHPROOF_STATE", STORE: "MESHPROOF_STORE"}
_LOOK = "look at where it leads, and remove the link if it is not needed"
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


class NotOursError(UsageError):
    """Something was to be written to or deleted that meshproof cannot show to be its own."""


def make_owned(folder: Path, kind: str) -> None:
    """Make a folder marked as ours (mode 0700); one that is there must be ours already.

    Folders above it are made as well, unmarked. An empty folder becomes ours. Raises
    NotOursError when it is a link or holds what nobody marked as ours, MeshproofError when it
    cannot be made or written to.
    """
    with file_errors(folder, "the folder", doing="make"):
        if folder.is_symlink():
            raise NotOursError(f"{folder} is a link, not a {kind} of meshproof's", _LOOK)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        check_not_foreign(folder, kind)
        if not is_owned(folder, kind):
            _write_mark(folder / MARK, kind)


def mark_proven(folder: Path, kind: str) -> None:
    """Mark a folder as ours whose content has proven that it is. Raises OSError."""
    _write_mark(folder / MARK, kind)


def check_not_foreign(folder: Path, kind: str) -> None:
    """Raise NotOursError for a folder that holds something and is not marked as ours.

    One that is empty, or not there at all, is no error. Changes nothing. Raises MeshproofError
    for what is no folder, or cannot be read.
    """
    with file_errors(folder, "the folder"):
        try:
            foreign = not is_owned(folder, kind) and not _is_empty(folder)
        except FileNotFoundError:
            return
        # Looked at again: another process may have marked and filled it meanwhile.
        if foreign and not is_owned(folder, kind):
            raise NotOursError(
                f"{folder} holds files and is not marked as a {kind} of meshproof's",
                f"let {_VARIABLES.get(kind, 'it')} name an empty folder, or one that meshproof "
                f"made (it has a file {MARK})",
            )


def is_owned(folder: Path, kind: str) -> bool:
    """Whether a folder bears the mark of its kind, in a file of its own and not behind a link."""
    mark = folder / MARK
    try:
        return stat.S_ISREG(mark.lstat().st_mode) and mark.read_bytes() == _mark(kind)
    except OSError:
        return False


def check_owned(folder: Path, kind: str) -> None:
    """Raise NotOursError unless ``folder`` is a real folder with the mark of ``kind``."""
    if folder.is_symlink() or not is_owned(folder, kind):
        raise NotOursError(
            f"{folder} is not marked as a {kind} of meshproof's, so nothing in it is deleted",
            f"look at it; meshproof deletes only what it made itself (with a file {MARK})",
        )


def is_deletable(folder: Path, kind: str) -> bool:
    """Whether ``delete_owned`` takes a folder for ours: marked, or empty and real.

    An empty folder needs no mark: its maker may have been killed between making and marking it.
    """
    try:
        if folder.is_symlink() or not folder.is_dir():
            return False
        return is_owned(folder, kind) or _is_empty(folder)
    except OSError:
        return False


def delete_owned(folder: Path, kind: str, *, within: Path) -> None:
    """Delete a folder of ours and all that is in it. One that does not exist is no error.

    ``within``: the folder in which those of its kind live. Killed midway, it can be called
    again: the mark goes last. Raises NotOursError for what is not ours (see ``is_deletable``);
    MeshproofError when the system refuses, or something is mounted in it.
    """
    if folder.parent != within or folder.name in ("", ".", ".."):
        raise NotOursError(f"{folder} does not lie in {within}, so it is not deleted")
    with file_errors(folder, "the folder", doing="delete"):
        _check_no_link(within)
        if not _is_there(folder):
            return
        if not is_deletable(folder, kind):
            check_owned(folder, kind)
        _delete_folder(folder)


def delete_part(root: Path, kind: str, *names: str) -> None:
    """Delete a file or folder inside a folder of ours. One that does not exist is no error.

    ``root``: the marked folder; ``names``: the way down from it, one name each. Raises
    NotOursError when ``root`` is not marked or a link is on the way; MeshproofError when the
    system refuses, or something is mounted there.
    """
    if not names or not all(_is_plain(name) for name in names):
        raise NotOursError(f"{'/'.join(names)!r} is no part of {root}, so it is not deleted")
    check_owned(root, kind)
    part = root
    with file_errors(root.joinpath(*names), "the folder", doing="delete"):
        for name in names:
            part = part / name
            _check_no_link(part)
        if part.is_dir():
            _delete_folder(part)
        else:
            part.unlink(missing_ok=True)


def _delete_folder(folder: Path) -> None:
    """Delete a real folder. Its mark goes last, so that what a kill leaves is still ours."""
    mounts = _mounted_in(folder)
    if mounts:
        raise MeshproofError(
            f"something is mounted at {mounts[0]}, so {folder} is not deleted",
            f"look at it, and if it is not needed: umount {mounts[0]}",
        )
    for one in list(folder.iterdir()):
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)  # follows no link
        elif one.name != MARK:
            one.unlink(missing_ok=True)
    (folder / MARK).unlink(missing_ok=True)
    folder.rmdir()


def _mounted_in(folder: Path) -> list[str]:
    """Where something is mounted at or below a folder (proc(5), mountinfo: the fifth field)."""
    lines = os.fsdecode(_MOUNTS.read_bytes()).rstrip("\n").split("\n")
    at = os.path.realpath(folder)
    fields = [line.split(" ")[4] for line in lines]
    points = [_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), field) for field in fields]
    return [point for point in points if point == at or point.startswith(f"{at}/")]


def _check_no_link(path: Path) -> None:
    if path.is_symlink():
        raise NotOursError(f"{path} is a link, so nothing is deleted there", _LOOK)


def _is_plain(name: str) -> bool:
    return Path(name).name == name and name not in ("", ".", "..", MARK) and "\0" not in name


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _is_empty(folder: Path) -> bool:
    """Whether there is nothing in a folder, or a mark that its maker did not live to write."""
    return all(one.name == MARK and _is_blank(one) for one in folder.iterdir())


def _is_blank(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def _write_mark(mark: Path, kind: str) -> None:
    """In one write and without cutting what is there: whoever reads it sees all of it or nothing,
    also when several processes mark a folder at once."""
    file = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        os.write(file, _mark(kind))
    finally:
        os.close(file)


def _mark(kind: str) -> bytes:
    return f"A {kind} of meshproof's, made and deleted by meshproof.\n".encode()
