"""Texts of a record for files that others read: bounded, and without what does not print."""

from __future__ import annotations

from datetime import UTC, datetime

from meshproof.report.cases import Said
from meshproof.telling import shortened, shown

LONGEST = 20_000
"""Characters of one text: several screens; all of it is in the record."""
_LINE = 300
_LAST = datetime.max.replace(tzinfo=UTC).timestamp() - 1


def bounded(text: str, longest: int = LONGEST) -> str:
    """A text of several lines, of about ``longest`` characters at most, and how much is left out.

    Characters that do not print, which neither XML nor a browser could hold, are written out.
    """
    left = len(text) - longest
    if left <= 0:
        return shown(text)
    return f"{shown(text[:longest])}\n… ({left} more characters, in the record)"


def in_line(text: str, longest: int = _LINE) -> str:
    """A text in one line, of ``longest`` characters at most."""
    return shown(shortened(text[: longest * 10], longest), lines=False)


def told(said: Said) -> str:
    """A verdict with its evidence, in lines."""
    lines = [f"{said.outcome}: expected {said.expected}; observed {said.observed}"]
    lines += [f"  {name}: {value}" for name, value in said.evidence.items()]
    return "\n".join(lines)


def moment(at: float) -> str:
    """A time in the form of RFC 3339, in UTC and whole seconds; what no calendar has is the first
    or the last that it has."""
    return datetime.fromtimestamp(min(max(at, 0.0), _LAST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
