"""Small things that tables of behaviours have in common."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from meshproof.telling import shown

_NARROW = 12
_BEHAVIOUR = 28
_WIDEST = 19
_FRAME = 3
"""What a column takes beside its content: a line, and a space on either side."""

_TOKEN = re.compile(r" *[^ ]+")
# Where a word may be broken: after one of these, or several.
_PIECE = re.compile(r"[^-/:\[+,|=]*[-/:\[+,|=]+|[^-/:\[+,|=]+")


def marks(reasons: Iterable[str]) -> dict[str, str]:
    """A mark for each reason, such as ¹, in the order in which they first come."""
    digits = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    distinct = dict.fromkeys(reasons)
    return {reason: str(number).translate(digits) for number, reason in enumerate(distinct, 1)}


@dataclass(frozen=True)
class Lines:
    """A text as wide as there is room. Only a word that is longer than a line is broken, where it
    has hyphens, slashes and the like: paths and the names of tests and deployments have many."""

    text: str
    style: str = ""

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Text]:
        lines = (filled(line, options.max_width) for line in shown(self.text).split("\n"))
        yield Text("\n".join("\n".join(parts) for parts in lines), style=self.style)

    def __rich_measure__(self, _: Console, options: ConsoleOptions) -> Measurement:
        lines = shown(self.text).split("\n")
        pieces = (piece for line in lines for word in line.split() for piece in _pieces(word))
        longest = max(map(cell_len, lines))
        return Measurement(max(map(cell_len, pieces), default=0), longest).with_maximum(
            options.max_width
        )


def filled(line: str, width: int) -> list[str]:
    """A line as lines of ``width`` characters at most, each with the indentation of the first."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    indent = indent if 2 * len(indent) < width else ""
    lines, now = [], ""
    for token in _TOKEN.findall(line):
        word = token.lstrip(" ")
        whole = cell_len(indent + word) <= width
        for number, piece in enumerate([word] if whole else _within(word, width - len(indent))):
            joined = now + (token[: len(token) - len(word)] if number == 0 else "") + piece
            if cell_len(joined) <= width:
                now = joined
                continue
            lines += [now] if now.strip() else []
            now = indent + piece
    return [*lines, now]


def _within(word: str, width: int) -> Iterator[str]:
    """The pieces of a word, those that are wider than ``width`` cut."""
    for piece in _pieces(word):
        while cell_len(piece) > width:
            fits = len(piece) - 1
            while fits > 1 and cell_len(piece[:fits]) > width:
                fits -= 1
            yield piece[:fits]
            piece = piece[fits:]
        yield piece


def _pieces(word: str) -> list[str]:
    return _PIECE.findall(word)


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
        first, parts = self._laid_out(options.max_width)
        for number, part in enumerate(parts, 1):
            several = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            yield self._table(f"{self.title}{several}", first, part)

    def tables(self, width: int) -> int:
        """As how many tables it is shown in so many characters."""
        return len(self._laid_out(width)[1])

    def _laid_out(self, width: int) -> tuple[int, list[range]]:
        """How wide the first column is at least, and the columns of each table."""
        room = width - 1
        first = max(_NARROW, min(_BEHAVIOUR, room - _WIDEST - 2 * _FRAME, self._longest()))
        return first, list(self._parts(room - first - _FRAME))

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
                made.add_row(Lines(name), *(Text(shown(text)) for text in cells))
        return made


def _header(name: str) -> str:
    """A column's name, broken where it has hyphens or plus signs."""
    words = re.sub(r"(?<=\d)-(?=[a-z])", "- ", name.replace("+", " "))
    return textwrap.fill(words, _NARROW, break_long_words=False)
