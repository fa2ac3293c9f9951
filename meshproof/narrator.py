"""Says on the terminal what a run is doing, one line a step with its time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from rich.console import Console

from meshproof.events import Data, Event, worker_name
from meshproof.model import issue_name

_PROGRESS_EVERY = 10.0
_QUIET_ABOUT = frozenset({"PASS", "KNOWN", "skipped"})


class Narrator:
    """A listener for a Recorder. Quiet about commands; progress at most every ten seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begin = time.monotonic()
        self._last_progress = 0.0
        self._causes: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Print the event, if it is one that a person wants to see."""
        worker = event.data.get("worker")
        if event.kind == "step-end":
            # What failed is told at the end, once.
            mark = "" if event.data["outcome"] == "ok" else "  (failed)"
            self._line(f"{event.data['seconds']:7.1f} s  {event.data['step']}{mark}", worker)
        elif event.kind == "progress" and time.monotonic() - self._last_progress > _PROGRESS_EVERY:
            self._last_progress = time.monotonic()
            done, whole = event.data.get("done", "?"), event.data.get("of", "?")
            self._line(f"        …  {event.data.get('step', 'working')}: {done} of {whole}", worker)
        elif event.kind in ("artifact-wait", "artifact-lost"):
            self._line(f"           {event.data['artifact']}: {event.data['why']}", worker)
        elif event.kind == "test":
            self._tell_test(event.data, worker)
        elif event.kind == "notice":
            self._line(f"           {event.data['text']}", worker)
        elif event.kind == "found":
            self._line(f"           {event.data['done']}: {event.data['text']}", worker)

    def say(self, text: str) -> None:
        """Print a line of one's own."""
        self._line(text, None)

    def expect(self, tests: Mapping[str, float], seconds: float | None) -> None:
        """What there is to do: what each test weighs, by its id, and how long all takes, where
        that is known. Lines tell nothing of it."""

    def close(self) -> None:
        """Nothing more is told but by lines of others."""

    def _tell_test(self, test: Data, worker: str | None) -> None:
        """How a test ended; of several that one cause kept from being judged the first, and of
        the others that there are some. The table at the end counts them."""
        if cause := test.get("cause", ""):
            self._causes[cause] += 1
        if self._causes[cause] < 2:
            self._line(_told(test), worker)
        elif self._causes[cause] == 2:
            self._line("           more for the same reason, which is told at the end", worker)

    def _line(self, text: str, worker: str | None) -> None:
        elapsed = time.monotonic() - self._begin
        whose = f"{worker_name(worker)}  " if worker else ""
        self._console.print(
            f"{elapsed:6.0f} {whose}{text}", highlight=False, markup=False, soft_wrap=True
        )


class QuietNarrator(Narrator):
    """Tells only what does not hold, and what of a kept lab is not as it should be."""

    def __call__(self, event: Event) -> None:
        """Print the event, if it is one of these."""
        held = event.kind == "test" and event.data["outcome"] in _QUIET_ABOUT
        if event.kind in ("test", "found", "artifact-lost") and not held:
            super().__call__(event)


def _told(test: Data) -> str:
    """How a test ended, in one line."""
    on = ", ".join((test["deployment"]["id"], *_where(test)))
    known = [issue_name(one["link"]) for one in test.get("known_issues", []) if one["shows"]]
    told = f"{test['seconds']:7.1f} s  {test['outcome']:12} {test['sentence']} ({on})"
    return f"{told}: {', '.join(known)}" if known else told


def _where(test: Data) -> Iterator[str]:
    """Which clusters or which machine it is about."""
    if test["pair"]:
        yield " → ".join(test["pair"])
    elif test["caller"]:
        yield f"from {test['caller']}"
    elif test.get("machine"):  # records of earlier versions have no machines
        yield f"on {test['machine']}"
