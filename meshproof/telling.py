"""Chooses from what a program printed the one line that tells why it failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import PurePath

_LONGEST = 400
_LONGEST_NAME = 120
_MUCH = 200_000
"""As much of what a program printed is looked at, from its end."""
# Terminal control: colours and cursor (CSI), titles and links (OSC), and single characters.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]"
    r"|[\x00-\x08\x0b-\x1f\x7f\ufffd]"
)
_ERROR = re.compile(r"\b(error|fatal|panic)\b|^E: |^\w*(Error|Exception)\b", re.IGNORECASE)
_TELLING = re.compile(
    _ERROR.pattern + r"|\b(fail\w*|cannot|can't|could not|couldn't|unable|denied|refused|invalid|"
    r"unknown|missing|not (found|permitted|supported|allowed|exist)|no such)\b",
    re.IGNORECASE,
)
_WARNING = re.compile(r"\bwarn(ing)?\b", re.IGNORECASE)
_LONG_WORD = re.compile(r"\S{401,}")
_KEPT = 200
# Programs that run another one where it is wanted: that other one is who fails.
_ENTERING = ("nsenter", "env")


def telling_line(stderr: str, stdout: str = "", longest: int = _LONGEST) -> str:
    """The line that tells why a program failed, without colours, of ``longest`` characters at
    most; "no message" when it printed nothing that can be read.

    It is the last line of standard error that says something, unless that is a mark below a line
    (^^^^) or a hint, and a line before speaks of an error.
    """
    lines = plain_lines(stderr) or plain_lines(stdout)
    if not lines:
        return "no message"
    told = lines[-1]
    if not _TELLING.search(told):
        errors = [line for line in lines if _ERROR.search(line) and not _WARNING.search(line)]
        told = errors[-1] if errors else told
    return shortened(told, longest)


def plain_lines(text: str) -> list[str]:
    """The lines of a program's output that hold a letter or a figure, as one sees them: without
    terminal control, and the last of several that were written over each other."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text[-_MUCH:].split("\n"))
    plain = (" ".join(_CONTROL.sub("", line).split()) for line in lines)
    return [line for line in plain if any(letter.isalnum() for letter in line)]


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A text in one line, of ``longest`` characters at most."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def shown(text: str, *, lines: bool = True) -> str:
    """A text of somebody else's as it can be printed: control characters are written out, and
    what is longer than a screen is wide many times over is cut. ``lines``: newlines stay."""
    parts = text.split("\n") if lines else [text]
    plain = "\n".join(map(_plain, parts))
    return _LONG_WORD.sub(lambda word: f"{word[0][:_KEPT]}…", plain)


def _plain(part: str) -> str:
    """A text that prints as it is, as nearly all do; what does not is written out."""
    if part.isprintable():
        return part
    return "".join(letter if letter.isprintable() else _written(letter) for letter in part)


def _written(letter: str) -> str:
    """A character that does not print, as in Python's source: \\n, \\x1b."""
    return letter.encode("unicode_escape").decode("ascii")


def in_time(seconds: float) -> str:
    """A time as people tell it: "48 s", "12 min", "2 h 5 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def called(argv: Sequence[str]) -> str:
    """How messages call a command line: its first words, and where it runs in a container those
    of the program that is run there."""
    words, entered = list(argv), ""
    while len(words) > 1 and PurePath(words[0]).name in _ENTERING:
        entered = entered or f"{words[0]} … "
        words = words[1:]
        words = words[len(list(takewhile(_is_option, words))) :]
    if not words:
        words, entered = list(argv), ""
    text = " ".join(words[:4]) + (" …" if len(words) > 4 else "")
    return entered + shortened(text, _LONGEST_NAME)


def _is_option(word: str) -> bool:
    """Whether a word after nsenter or env is one of its own: -t 4711, -i, PATH=/bin, --."""
    return word.startswith("-") or word.isdigit() or "=" in word
