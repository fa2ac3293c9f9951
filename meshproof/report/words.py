"""Small things that tables of behaviours have in common."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from meshproof.telling import shown

_NARROW = 12
_BEHAVIOUR = 28
_WIDEST = 16
_FRAME = 3
"""What a column takes beside its content: a line, and a space on either side."""


def marks(reasons: Iterable[str]) -> dict[str, str]:
    """A mark for each reason, such as ¹, in the order in which they first come."""
    digits = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    distinct = dict.fromkeys(reasons)
    return {reason: str(number).translate(digits) for number, reason in enumerate(distinct, 1)}


@dataclass(frozen=True)
class Grid:
    """Rows by columns, shown as as many tables below each other as the terminal's width takes.

    ``columns``: what stands above each; ``rows``: what stands before each, and a cell a column.
    A row without anything in the columns of a table is left out of that table.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    right: bool = False

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Table]:
        room = options.max_width - 1
        first = max(_NARROW, min(_BEHAVIOUR, room - _WIDEST - 2 * _FRAME, self._longest()))
        parts = list(self._parts(room - first - _FRAME))
        for number, part in enumerate(parts, 1):
            several = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            yield self._table(f"{self.title}{several}", first, part)

    def _longest(self) -> int:
        return max((len(name) for name, _ in self.rows), default=_NARROW)

    def _parts(self, room: int) -> Iterator[range]:
        """The columns, as many together as fit into ``room``, and one at least."""
        begin, taken = 0, 0
        for number in range(len(self.columns)):
            wide = self._width(number) + _FRAME
            if number > begin and taken + wide > room:
                yield range(begin, number)
                begin, taken = number, 0
            taken += wide
        if self.columns:
            yield range(begin, len(self.columns))

    def _width(self, number: int) -> int:
        cells = [line for _, row in self.rows for line in row[number].split("\n")]
        longest = max(map(len, [*_header(self.columns[number]).split("\n"), *cells]), default=0)
        return min(longest, _WIDEST)

    def _table(self, title: str, first: int, part: range) -> Table:
        made = Table(title=Text(title), title_justify="left")
        made.add_column("", min_width=first, overflow="fold")
        for number in part:
            made.add_column(
                Text(shown(_header(self.columns[number]))),
                justify="right" if self.right else "left",
                min_width=self._width(number),
                max_width=_WIDEST,
                overflow="fold",
            )
        for name, row in self.rows:
            cells = [row[number] for number in part]
            if any(cells):
                made.add_row(*(Text(shown(text)) for text in (name, *cells)))
        return made


def _header(name: str) -> str:
    """A column's name, broken where it has hyphens or plus signs."""
    words = re.sub(r"(?<=\d)-(?=[a-z])", "- ", name.replace("+", " "))
    return textwrap.fill(words, _NARROW, break_long_words=False)
