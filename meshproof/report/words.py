"""Small things that tables of behaviours have in common."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from rich.table import Table

_NARROW = 12
_BEHAVIOUR = 32
_WIDEST = 16


def marks(reasons: Iterable[str]) -> dict[str, str]:
    """A mark for each reason, such as ¹, in the order in which they first come."""
    digits = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    distinct = dict.fromkeys(reasons)
    return {reason: str(number).translate(digits) for number, reason in enumerate(distinct, 1)}


def table(title: str, grounds: Iterable[str]) -> Table:
    """A table to be filled: behaviours, then a column for each topology or deployment.

    Their names are broken where they have hyphens or plus signs.
    """
    made = Table(title=title, title_justify="left")
    made.add_column("", min_width=_BEHAVIOUR)
    for name in grounds:
        words = re.sub(r"(?<=\d)-(?=[a-z])", "- ", name.replace("+", " "))
        header = textwrap.fill(words, _NARROW, break_long_words=False)
        made.add_column(header, max_width=_WIDEST)
    return made
