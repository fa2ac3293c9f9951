"""Numbers that options take, judged in our own words."""

from __future__ import annotations

import re

from meshproof.errors import UsageError

_NUMBER = re.compile("[1-9][0-9]{0,2}")


def number_of(option: str, text: str) -> int:
    """The number from 1 to 999 that an option was given. Raises UsageError for all else."""
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{option} is '{text}'", "give a number from 1 to 999")
    return int(text)
