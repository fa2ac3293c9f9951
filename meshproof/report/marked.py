"""Texts in Markdown of GitHub's kind: whatever they say, they are text there and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from meshproof.report.texts import in_line

_SPECIAL = re.compile(r"[\\`*_\[\]#|~$@]|:(?=//)|(?<=www)\.")
"""What begins markup, a mention, a formula or a link, or ends a table's cell."""
_RUN = re.compile("`+")


def cell(text: str) -> str:
    """A text in one line, as it is: no markup, mention, link or end of a table's cell."""
    plain = escape(in_line(text), quote=False)
    # As character references: an @ behind a backslash still mentions somebody.
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", plain)


def code(text: str) -> str:
    """A text in one line as code, in which nothing is markup; in a table as well."""
    plain = in_line(text)
    return f"<code>{cell(text)}</code>" if not plain or set(plain) & set("`|") else f"`{plain}`"


def fenced(text: str) -> str:
    """A text of several lines as a block of code."""
    longest = max(map(len, _RUN.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def link(text: str, target: str) -> str:
    """A link; of what is no public address the text alone."""
    plain = in_line(target, 2000)
    if not re.fullmatch(r"https://[\w./#?=&%~-]+", plain):
        return cell(text)
    return f'<a href="{escape(plain)}">{cell(text)}</a>'


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
