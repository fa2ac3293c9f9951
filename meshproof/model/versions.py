"""Versions of what a lab is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering

from meshproof.errors import ModelError

_PATTERN = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?:-([0-9A-Za-z.-]{1,64}))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version, such as 1.36.3 or 1.31.0-rc.1; ordered as semver.org says."""

    major: int
    minor: int
    patch: int
    suffix: str = field(default="")

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read "1.36.3" or "v1.36.3". Raises ModelError for anything else."""
        match = _PATTERN.fullmatch(text.strip())
        if match is None:
            raise ModelError(f"'{text}' is no version", "write it as in 1.36.3")
        major, minor, patch, suffix = match.groups()
        return cls(int(major), int(minor), int(patch), suffix or "")

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return f"{text}-{self.suffix}" if self.suffix else text

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[int, int, int, bool, str]:
        # A version with a suffix comes before the same version without one.
        return (self.major, self.minor, self.patch, not self.suffix, self.suffix)
