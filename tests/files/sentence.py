"""What every complaint about an input file is: one sentence, in words of our own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.errors import EXIT_USAGE, UsageError

_FOREIGN = (
    "Traceback",
    "pydantic",
    "validation error",
    "type=",
    "Input should",
    "Error:",
    "object at 0x",
)


def sentence(read: Callable[[Path], object], path: Path) -> str:
    """What ``read`` refuses a file with, once it was found to be a sentence with a remedy."""
    with pytest.raises(UsageError) as raised:
        read(path)
    message = str(raised.value)
    assert raised.value.exit_code == EXIT_USAGE
    assert raised.value.remedy, message
    assert message.endswith(".") and message.isprintable(), message
    assert len(message) < 600 + 2 * len(str(path)), message
    assert not [word for word in _FOREIGN if word in message], message
    return message


def write(path: Path, text: str | bytes) -> Path:
    """The file ``path`` with that content."""
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return path
