"""Reads what an engine prints: the one place where its answers are parsed.

The program of that name may be a wrapper with words of its own, on standard output too. Rows are
therefore asked for with a mark before each, and JSON is looked for after what comes before it:
no word of a wrapper's is ever taken for the name of a container.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from meshproof.errors import CommandError, EngineError
from meshproof.process import Finished
from meshproof.telling import called, plain_lines, shortened

_MARK = "meshproof="
_KIND = r"(image|container|network|object|volume|secret|pod)s?"
# Not "no such file or directory", which is said of a daemon's socket.
_ABSENT = re.compile(
    rf"no such {_KIND}\b|\b{_KIND}\b[^,;]*\b(not found|not known|does not exist)", re.IGNORECASE
)
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_JSON_BEGINS = re.compile(r"^\s*(?=[{\[])", re.MULTILINE)

Object = dict[str, Any]


def marked(template: str) -> str:
    """A template for ``--format`` whose rows ``rows`` finds again."""
    return _MARK + template


def rows(finished: Finished) -> list[str]:
    """The rows of an answer to a question with a ``marked`` template, without what is around."""
    lines = finished.stdout.splitlines()
    return [line.partition(_MARK)[2].strip() for line in lines if _MARK in line]


def objects(finished: Finished) -> list[Object]:
    """The JSON list of objects that was answered; none when nothing was.

    Raises EngineError, naming the command and its words, when there is no such list.
    """
    found = _json(finished, list) if finished.stdout.strip() else []
    if not all(isinstance(one, dict) for one in found):
        raise unreadable(finished)
    return list(found)


def object_of(finished: Finished) -> Object:
    """The JSON object that was answered. Raises EngineError as ``objects`` does."""
    return dict(_json(finished, dict))


def digest(finished: Finished) -> str:
    """The id of an image or container that was answered. Raises EngineError when there is none."""
    found = _DIGEST.findall(finished.stdout)
    if not found:
        raise unreadable(finished)
    return str(found[-1])


def check_only_absent(finished: Finished) -> None:
    """Raise CommandError when a question failed for another reason than that there is no such
    thing: an engine that is down knows nothing of what it runs."""
    failed = finished.returncode != 0
    if failed and not any(_ABSENT.search(line) for line in plain_lines(finished.stderr)):
        raise CommandError(finished.argv, finished.returncode, finished.stdout, finished.stderr)


@contextmanager
def understood(finished: Finished) -> Iterator[None]:
    """Raise EngineError for an answer that lacks what is looked for inside the block."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(finished) from error


def unreadable(finished: Finished) -> EngineError:
    """The error for an answer that cannot be read, with its first words."""
    words = shortened(" ".join(plain_lines(finished.stdout)), 120) or "nothing"
    return EngineError(
        f"'{called(finished.argv)}' answered what cannot be read: {words}",
        f"if {finished.argv[0]} is a wrapper, let it print the engine's own words and no others",
    )


def says_it_is(text: str, names: Sequence[str]) -> str | None:
    """Which engine ``--version`` printed the version of; None when it is none of ``names``."""
    if "emulate docker cli using podman" in text.lower():
        return "podman"
    # A wrapper's warning may speak of another engine, but not as a version is printed.
    either = "|".join(names)
    found = re.search(
        rf"^\s*({either})(?:-remote)?\s+version\s", text, re.IGNORECASE | re.MULTILINE
    )
    return found.group(1).lower() if found else None


def _json(finished: Finished, kind: type[list[Any]] | type[Object]) -> Any:
    decoder, text = json.JSONDecoder(), finished.stdout
    for begin in _JSON_BEGINS.finditer(text):
        try:
            found, _ = decoder.raw_decode(text, begin.end())
        except (json.JSONDecodeError, RecursionError):
            continue  # such as a warning that begins with [WARN]
        if isinstance(found, kind):
            return found
    raise unreadable(finished)
