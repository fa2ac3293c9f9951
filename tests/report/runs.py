"""Runs that the real Recorder has written, for views to be rendered from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from meshproof.events import Recorder, read
from meshproof.report.record import Record, Run, merged
from tests.cli.records import artifacts, begin, deployment, end, judged

FLAT = "primary-remote-flat+1.31.1+strict"
SPLIT = "multi-primary-split-horizon+1.31.1+strict"
HEADER, EVERY = "routing/header-decides", "distribution/every-version-answers"
LINK = "https://github.com/istio/istio/issues/32819"
LOST = "cluster east is lost: container one does not run."
HOSTILE = (
    "\x00\x1b[31m]]> </script><script>alert(1)</script> &amp; \ud800 \ufffe "
    "| `` ```` ``` @everyone ::error::%0A\r\n<!-- -->\u202e [x](javascript:alert(1)) {{ 7*7 }} "
    + "very-long"
    * 20_000
)
"""What a mesh may answer: illegal in XML, markup of all kinds, and long."""


def a_test(
    behaviour: str = HEADER, on: str = FLAT, outcome: str = "PASS", *, of: str = "", **other: Any
) -> dict[str, Any]:
    """The fields of a test's event; ``of``: a word that tells its id from others'."""
    words = on.split("+")
    istio = {"istio": dict.fromkeys(("east", "west"), words[1])} if len(words) > 2 else {}
    suite, _, about = behaviour.partition("/")
    name = f"suites/{suite}/test_it.py::test_{about.replace('-', '_')}[{on}-from-east{of}]"
    data = json.loads(
        judged(
            name,
            outcome,
            behaviour=behaviour,
            suite=suite,
            feature="routing",
            sentence=f"The sentence of {behaviour}.",
            caller="east",
            deployment=deployment(on, **istio),
            **other,
        )
    )
    del data["at"], data["kind"]
    return dict(data)


def known(behaviour: str = HEADER, on: str = FLAT, **other: Any) -> dict[str, Any]:
    """The fields of a test that failed just as a known issue says."""
    issue = {"link": LINK, "seen": "One of them answers for both.", "shows": True}
    return a_test(behaviour, on, "KNOWN", **{"known_issues": [issue], **other})


def recorded(
    folder: Path,
    tests: Iterable[dict[str, Any]],
    code: int | None = 0,
    *,
    lacking: Iterable[str] = (),
    evidence: str = "v1 17 times, v2 3 times",
    **other: Any,
) -> Run:
    """A run of these tests, each with a step, calls and a verdict. ``code``: its exit code, None
    for a run that was killed; ``lacking``: tests that were planned and never run; ``other``:
    fields of its beginning."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder, given = Recorder(folder / "events.jsonl"), list(tests)
    planned = [*(one["test"] for one in given), *lacking]
    emit(recorder, begin(*planned, deployments=[one["deployment"] for one in given], **other))
    emit(recorder, artifacts())
    for one in given:
        with recorder.marked(test=one["test"]):
            judge(recorder, one, evidence)
    if code is not None:
        emit(recorder, end(code))
    return Run(folder, read(folder / "events.jsonl"))


def record(folder: Path, *tests: dict[str, Any], code: int | None = 1, **other: Any) -> Record:
    """The record of one such run."""
    return merged([recorded(folder / "run", tests, code, **other)])


def judge(recorder: Recorder, one: dict[str, Any], evidence: str) -> None:
    """What is recorded while a test runs, and how it ended."""
    with recorder.step("install istiod"), recorder.step("apply routes in east"):
        pass
    calls = {"caller": "sleep", "cluster": "east", "sidecar": True, "headers": {}}
    calls |= {"calls": one.pop("made", 20)}
    recorder.emit(
        "calls",
        **calls,
        url="http://helloworld:5000/hello",
        answers=one.pop("answers", {"200": 20}),
        versions={"v1": 17, "v2": 3},
        upstreams={"10.10.0.6:5000": 20},
        seconds=one.pop("called", 0.4),
    )
    if one["outcome"] != "skipped" and not one.get("cause"):
        said = {"expected": "v2 alone", "observed": "v1", "evidence": {"answers": evidence}}
        recorder.emit("verdict", test=one["test"], outcome=one["outcome"], **said)
    recorder.emit("test", **one)


def emit(recorder: Recorder, line: str) -> None:
    """Record what a line that was made by hand says."""
    data = json.loads(line)
    recorder.emit(data.pop("kind"), **{name: value for name, value in data.items() if name != "at"})
