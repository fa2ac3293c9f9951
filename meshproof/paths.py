"""The two folders of the user's in which meshproof keeps artifacts and labs, and paths that people
name."""

from __future__ import annotations

import os
from pathlib import Path

from meshproof.environment import home
from meshproof.errors import MeshproofError, UsageError
from meshproof.reading import reason

_OURS = "meshproof"


def store_dir() -> Path:
    """The artifact store: shared by all runs of a user. ``MESHPROOF_STORE`` overrides it.

    An absolute path. Raises UsageError for the home of a user that does not exist,
    MeshproofError for a path relative to a working directory that is gone.
    """
    return _named("MESHPROOF_STORE") or _base("XDG_CACHE_HOME", ".cache") / _OURS


def state_dir() -> Path:
    """Labs that exist now and the subnets leased to them. ``MESHPROOF_STATE`` overrides it.

    Absolute, and raises, as ``store_dir``.
    """
    return _named("MESHPROOF_STATE") or _base("XDG_STATE_HOME", ".local/state") / _OURS


def working_dir() -> Path:
    """The working directory. Raises MeshproofError when it is gone."""
    try:
        return Path.cwd()
    except OSError as error:
        raise MeshproofError(
            f"the working directory is gone ({reason(error)})", "change to one that exists"
        ) from None


def named(what: str, text: str) -> Path:
    """The path that a word names, from the root. ``what`` it is of, as in "a topology file".

    Raises UsageError for an empty word, which an unset variable leaves, and which would stand for
    the working directory.
    """
    if not text:
        raise UsageError(f"{what} is named by an empty word", "name one, or leave it out")
    return absolute(Path(text))


def absolute(path: Path) -> Path:
    """A path from the root. Raises MeshproofError where there is no working
    directory that it could begin at."""
    # Not Path.resolve(), which raises on a loop of links.
    return path if path.is_absolute() else working_dir() / path


def _named(variable: str) -> Path | None:
    """The folder that a variable names, a home (~) expanded; None when it is unset or empty."""
    named = os.environ.get(variable)
    if not named:
        return None
    if named == "~" or named.startswith("~/"):
        return Path(home(os.environ)) / named[2:]
    path = Path(named)
    try:
        path = path.expanduser()  # ~user
    except RuntimeError:
        first = path.parts[0]
        raise UsageError(f"{variable}={named}: there is no home directory {first}") from None
    # Labs bear the name of the state folder: one folder has one name, wherever it is named from.
    return path if path.is_absolute() else Path(os.path.realpath(working_dir() / path))


def _base(variable: str, below_home: str) -> Path:
    """A base directory (XDG Base Directory Specification: only an absolute one counts).

    Not by platformdirs, whose versions differ in what they make of a HOME that names no folder.
    """
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path(home(os.environ)) / below_home
