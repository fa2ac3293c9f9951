"""What a shell completes: names of topologies, suites, formats and labs, from what is there.

A shell waits for it, so only folders are listed; what cannot be read completes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.paths import state_dir
from meshproof.resources import resource


def complete_topologies(incomplete: str) -> list[str]:
    """The topologies whose names begin so, bare clusters too."""
    # What reads topologies takes longer to be loaded than a shell should wait.
    found = sorted(path.stem for path in resource("topologies").glob("*.yaml"))
    return _begin([*found, "bare", "bare-nodes"], incomplete)


def complete_suites(incomplete: str) -> list[str]:
    """The suites whose names begin so."""
    found = {path.parent.name for path in resource("suites").glob("*/test_*.py")}
    return _begin(sorted(found), incomplete)


def complete_labs(incomplete: str) -> list[str]:
    """The labs whose ids begin so."""
    try:
        found = sorted(path.name for path in (state_dir() / "labs").iterdir() if path.is_dir())
    except (OSError, MeshproofError):
        return []
    return _begin(found, incomplete)


def complete_runs(incomplete: str) -> list[str]:
    """The runs in the folder of reports, by their paths as people write them."""
    try:
        found = sorted(str(one) for one in Path("reports").iterdir() if one.is_dir())
    except OSError:
        return []
    return _begin(found, incomplete)


def _begin(names: Iterable[str], incomplete: str) -> list[str]:
    return [one for one in names if one.startswith(incomplete)]
