"""What the doctor says: findings, and the fixes that some of them carry.

A fix is data, not code: it can be shown before it is done, compared, and tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Level(Enum):
    """FAIL: the lab cannot work. WARN: it may be slow, or something is unverified."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Run:
    """Run a program. ``env`` is added to its environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """Make a file of meshproof's own say ``text``; nothing happens when it does already."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """Make a folder and its parents; nothing happens when it exists."""

    path: Path


Step = Run | Write | MakeFolder


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend something. ``says``: one sentence, shown before ``steps`` are done."""

    says: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, what to do by hand, and perhaps a fix.

    Several findings may carry the same fix (equal, not only alike): it is done once.
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
    fix: Fix | None = None
