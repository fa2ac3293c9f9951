"""The record of a run: every step, command and verdict, with times, one JSON object a line.

Reports are rendered from this record, also later; nothing is printed by the code that acts.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the record. ``at``: seconds since the epoch; ``data``: JSON values only."""

    at: float
    kind: str
    data: Data

    def to_json(self) -> str:
        """The event as one line of JSON, without the newline."""
        return json.dumps({"at": round(self.at, 4), "kind": self.kind, **self.data}, default=str)


Listener = Callable[[Event], None]


@dataclass
class Recorder:
    """Takes events from any thread, appends them to a file and passes them to listeners.

    ``path`` may be None: then events only reach the listeners. Several processes may append to
    one file. ``marks`` are added to the data of every event, for example whose it is.
    """

    path: Path | None = None
    listeners: list[Listener] = field(default_factory=list)
    marks: Data = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def emit(self, kind: str, **data: Any) -> None:
        """Record that ``kind`` happened now; ``data`` must be JSON values."""
        event = Event(time.time(), kind, {**self.marks, **data})
        with self._lock:
            if self.path is not None:
                _append(self.path, event.to_json() + "\n")
            for listener in self.listeners:
                listener(event)

    @contextmanager
    def step(self, name: str, **data: Any) -> Iterator[None]:
        """Record a step's begin, end, seconds and outcome ("ok", or the error's text)."""
        self.emit("step-begin", step=name, **data)
        begin = time.monotonic()
        outcome = "interrupted"
        try:
            yield
            outcome = "ok"
        except Exception as error:
            outcome = str(error) or type(error).__name__
            raise
        finally:
            seconds = round(time.monotonic() - begin, 3)
            self.emit("step-end", step=name, seconds=seconds, outcome=outcome, **data)


@dataclass
class Follower:
    """Passes on to ``listener`` what others write to a record, while they do."""

    path: Path
    listener: Listener
    _position: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def catch_up(self) -> None:
        """Pass on the events since last time, if any. Safe to call from several threads."""
        with self._lock:
            if not self.path.exists():
                return
            with self.path.open("rb") as record:
                record.seek(self._position)
                whole, newline, _ = record.read().rpartition(b"\n")
            self._position += len(whole) + len(newline)
            for event in _parse(whole.decode()):
                self.listener(event)


def read(path: Path) -> list[Event]:
    """The events of a record, oldest first. A last line cut off by a kill is left out."""
    return list(_parse(path.read_text(encoding="utf-8")))


def _append(path: Path, line: str) -> None:
    """One write that goes to the end of the file, wherever other processes have moved that."""
    record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        rest = line.encode()
        while rest:  # more than once only when the disk is full, and then it raises
            rest = rest[os.write(record, rest) :]
    finally:
        os.close(record)


def _parse(text: str) -> Iterator[Event]:
    for line in text.splitlines():
        try:
            data = json.loads(line)
        except json.JSONDecodeError:
            continue
        yield Event(data.pop("at"), data.pop("kind"), data)
