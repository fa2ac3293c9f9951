"""The record of a run: every step, command and verdict, with times, one JSON object a line.

Reports are rendered from this record, also later; nothing is printed by the code that acts.
"""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.reading import file_errors, reason
from meshproof.telling import shortened, shown

Data = dict[str, Any]

_NUMBER = (int, float)
_LONGEST = 60
_MOST = 2**30
"""Bytes of a record that are read: many times those of the longest run."""


class RecordError(MeshproofError):
    """A run's record cannot be read, or says what no record says."""


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
    one file. ``marks`` are added to the data of every event, for example whose it is, and which
    test it belongs to.
    ``lost``: why the file could not be written at some moment; the run goes on without it, since
    what it has made must still be removed, but it cannot end as one that held.
    """

    path: Path | None = None
    listeners: list[Listener] = field(default_factory=list)
    marks: Data = field(default_factory=dict)
    lost: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def emit(self, kind: str, **data: Any) -> None:
        """Record that ``kind`` happened now; ``data`` must be JSON values."""
        event = Event(time.time(), kind, {**self.marks, **data})
        with self._lock:
            told = [event]
            if self.path is not None and self.lost is None:
                try:
                    _append(self.path, event.to_json() + "\n")
                except OSError as error:
                    self.lost = f"the run's record {self.path} cannot be written ({reason(error)})"
                    told.append(Event(time.time(), "notice", {**self.marks, "text": self.lost}))
            for one in told:
                for listener in self.listeners:
                    listener(one)

    @contextmanager
    def marked(self, **marks: str) -> Iterator[None]:
        """Add marks to what is recorded inside the block."""
        before = self.marks
        self.marks = {**before, **marks}
        try:
            yield
        finally:
            self.marks = before

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
    """Passes on to ``listeners`` what others write to a record, while they do.

    ``lost``: why the record could not be read at some moment; what was written is not known then.
    """

    path: Path
    listeners: Sequence[Listener]
    lost: str | None = None
    _position: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def catch_up(self) -> None:
        """Pass on the events since last time, if any. Safe to call from several threads."""
        with self._lock:
            try:
                with self.path.open("rb") as record:
                    record.seek(self._position)
                    whole, newline, _ = record.read().rpartition(b"\n")
            except FileNotFoundError:
                return  # nobody has written anything yet
            except OSError as error:
                self.lost = f"the run's record {self.path} cannot be read ({reason(error)})"
                return
            self._position += len(whole) + len(newline)
            for line in whole.decode(errors="replace").splitlines():
                if (event := _checked(_event(line))) is not None:
                    for listener in self.listeners:
                        listener(event)


def read(path: Path) -> list[Event]:
    """The events of a record, oldest first. A last line cut off by a kill is left out.

    Raises RecordError, one sentence with file and line, when it cannot be read, for a line that
    is no event, and for a record in the form of another version.
    """
    with file_errors(path, "the run's record", error=RecordError):
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) or about.st_size > _MOST:
            raise RecordError(
                f"the run's record {path} is no file of up to {_MOST // 2**30} GiB",
                "name the folder of another run",
            )
        text = path.read_text(encoding="utf-8-sig")
    whole, _, cut = text.rpartition("\n")
    lines = [*whole.split("\n"), cut]
    found = list(map(_event, lines))
    _check_form(found, path)
    events = []
    for number, (line, said) in enumerate(zip(lines, found, strict=True), 1):
        event = _checked(said)
        if event is not None:
            events.append(event)
        elif line and line is not cut:
            raise RecordError(
                f"line {number} of the run's record {path} is no event of a run",
                "name the folder of another run; this record was damaged or is something else",
            )
    return events


def read_some(path: Path, kinds: Collection[str]) -> list[Event]:
    """The events of these kinds of a record, oldest first; lines that are none are passed over.
    Much quicker than ``read``, for what need not be whole. Raises OSError."""
    marks = [f'"kind": "{kind}"' for kind in kinds]
    found = []
    with path.open(encoding="utf-8", errors="replace") as record:
        for line in record:
            if any(mark in line for mark in marks):
                event = _checked(_event(line))
                if event is not None and event.kind in kinds:
                    found.append(event)
    return found


def worker_name(worker: str | None) -> str:
    """What people are told of pytest-xdist's "gw0": "worker 1". "" for a run without workers."""
    number = (worker or "").removeprefix("gw")
    return f"worker {int(number) + 1}" if number.isdecimal() and len(number) < 6 else worker or ""


def _append(path: Path, line: str) -> None:
    """One write that goes to the end of the file, wherever other processes have moved that."""
    record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        rest = line.encode()
        while rest:  # more than once only when the disk is full, and then it raises
            rest = rest[os.write(record, rest) :]
    finally:
        os.close(record)


def _check_form(events: Iterable[Event | None], path: Path) -> None:
    """Raise RecordError for a record that another version of meshproof wrote in another form."""
    # It takes long to be loaded, and who only writes events has no need of it: so below.
    from meshproof.schema import SCHEMA

    for event in events:
        if event is not None and event.kind == "run-begin" and event.data.get("schema") != SCHEMA:
            form, by = (
                shortened(shown(str(event.data.get(name)), lines=False), _LONGEST)
                for name in ("schema", "meshproof")
            )
            raise RecordError(
                f"the run's record {path} is in another form ({form}, where this meshproof reads "
                f"{SCHEMA}): meshproof {by} wrote it",
                "read it with that version, or from a checkout of that time",
            )


def _checked(event: Event | None) -> Event | None:
    """The event, if it holds what an event of its kind does."""
    from meshproof.schema import is_as_recorded

    return event if event is not None and is_as_recorded(event.kind, event.data) else None


def _event(line: str) -> Event | None:
    """The event that a line of a record holds, whatever it says; None when it holds none."""
    from meshproof.schema import LARGEST

    try:
        data = json.loads(line)
        at, kind = data.pop("at"), data.pop("kind")
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return None
    if not (type(at) in _NUMBER and abs(at) < LARGEST and isfinite(at) and isinstance(kind, str)):
        return None
    return Event(at, kind, data)
