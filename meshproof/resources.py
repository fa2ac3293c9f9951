"""Finds the files that travel with meshproof: suites, fixtures, topologies, kind configurations,
and the page on troubles.

In a source tree they lie beside the package, in an installed wheel inside it; a caller does
not know which.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """The folder called ``name`` ("suites", "fixtures", "topologies", "kind-configs" or "docs").

    Raises FileNotFoundError when the installation is damaged.
    """
    for home in (_PACKAGE / "bundled", _PACKAGE.parent):
        if (home / name).is_dir():
            return home / name
    raise FileNotFoundError(f"meshproof's own folder '{name}' is missing: install meshproof again")
