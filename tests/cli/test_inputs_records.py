"""`report` with records in which a line is no event, or that are no text at all."""

from __future__ import annotations

import json

import pytest

from meshproof.schema import SCHEMA
from tests.cli.harness import Case, check, unable
from tests.cli.records import begin, deployment, end, event, judged, lay, not_told, text, whole
from tests.cli.world import World

RUN = "report run"
ANY_CODE = "any number becomes the exit code: 256 even becomes 0"
DAMAGED = "is no event of a run"
EVIL = {
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "a text": '"events"',
    "nan": "NaN",
    "an empty object": "{}",
    "no kind": '{"at": 1}',
    "no time": '{"kind": "test"}',
    "a time as a text": '{"at": "now", "kind": "x"}',
    "a time that is nan": '{"at": NaN, "kind": "x"}',
    "a time that is infinite": '{"at": 1e999, "kind": "x"}',
    "a time that is true": '{"at": true, "kind": "x"}',
    "a kind that is a list": '{"at": 1, "kind": []}',
    "an unknown outcome": judged("t", "MAYBE"),
    "an outcome in small letters": judged("t", "pass"),
    "an outcome that is null": judged("t", None),
    "an outcome that is a list": judged("t", []),
    "an outcome that is an object": judged("t", {}),
    "a test that is a number": judged(5),
    "a test on nothing": judged("t", deployment=None),
    "a deployment by its name alone": judged("t", deployment="primary-remote-flat"),
    "a deployment without versions": judged("t", deployment=deployment(istio=None)),
    "a version that is a number": judged("t", deployment=deployment(istio={"east": 1.31})),
    "a bare lab without a wiring": judged(
        "t", deployment={"id": "x", "clusters": {"east": "east"}, "kubernetes": "1.36.3"}
    ),
    "a pair that is a text": judged("t", pair="east"),
    "evidence that is a text": judged("t", evidence="00-index.md"),
    "proven behaviours that are none": judged("t", proves=[None]),
    "a behaviour that is null": judged("t", behaviour=None),
    "a why that is a list": judged("t", why=["x"]),
    "seconds as a text": judged("t", seconds="1"),
    "seconds that are true": judged("t", seconds=True),
    "seconds that are nan": judged("t", seconds=float("nan")),
    "seconds without end": judged("t", seconds=float("inf")),
    "seconds that nobody can reckon with": judged("t", seconds=1e300),
    "a test without fields": event("test"),
    "an end without a code": event("run-end"),
    "an end with a text": end("0"),
    "an end with true": end(True),
    "an end with a fraction": end(0.5),
    "an end with null": end(None),
    "an end with a verdict": end("FAIL"),
    "a beginning without tests": begin(tests=None),
    "a beginning with a text": begin(tests="abc"),
    "a beginning with numbers": begin(tests=[1]),
    "a beginning without a machine": begin(machine={}),
    "a beginning that asks for a text": begin(request="--sabotage"),
    "a verdict of no test": event(
        "verdict", outcome="PASS", expected="x", observed="y", evidence={}
    ),
    "calls without an end": event("calls", caller="sleep", url="http://x", calls=-1),
    "artifacts of nobody": event("artifacts", source="built"),
    "what does not apply, told as a text": not_told(told="yes"),
    "what does not apply, without a reason": not_told(reason=None),
    "a step without a name": event("step-end", seconds=1, outcome="ok"),
    "a step of endless seconds": event("step-end", step="install x", seconds=1, outcome=5),
    "words": "FAILED tests/x.py",
    "YAML": "at: 1",
    "deep": "[" * 10_000,
    "deep, and an object": '{"at": 1, "kind": "x", "y": ' + "[" * 10_000 + "}",
    "a number of 5000 digits": '{"at": ' + "9" * 5000 + ', "kind": "x"}',
    "two objects": "{} {}",
    "10 MB": '{"x": "' + "y" * 10_000_000,
}
DAMAGES = [
    unable(
        f"a line that is {name}",
        RUN,
        "line 2 of the run's record",
        DAMAGED,
        lay=lay([begin("t"), line, judged("t"), end(0)]),
    )
    for name, line in EVIL.items()
]
FORMS = {
    "of before there was a number": event("run-begin", meshproof="0.0.9", options={}, tests=["t"]),
    "of a later version": begin("t", schema=SCHEMA + 1, meshproof="0.0.9"),
    "by a word": begin("t", schema="one", meshproof="0.0.9"),
    "by a list": begin("t", schema=[SCHEMA], meshproof="0.0.9"),
}
DAMAGES += [
    unable(
        f"a record in the form {name}",
        RUN,
        "events.jsonl is in another form (",
        "where this meshproof reads 2): meshproof 0.0.9 wrote it",
        "read it with that version",
        lay=lay([event("not-applicable", test="x"), line, judged("t"), end(0)]),
    )
    for name, line in FORMS.items()
]
DAMAGES += [
    unable(
        f"a run that ended with {code}",
        RUN,
        DAMAGED,
        lay=lay(whole(["PASS"], code)),
    )
    for code in (-1, 3, 7, 130, 255, 256)
]
BYTES = {
    "not UTF-8": (b"\xff\xfe" + text(whole(["PASS"], 0)), "is not UTF-8 (line 1)"),
    "Latin-1 in line 2": (
        text([begin("t")]) + b'{"at": 1, "kind": "\xe9"}\n',
        "not UTF-8 (line 2)",
    ),
    "UTF-16": ("\n".join(whole(["PASS"], 0)).encode("utf-16"), "is not UTF-8"),
    "a NUL byte": (b"\0\n" + text(whole(["PASS"], 0)), "line 1"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\3\n", "is not UTF-8"),
    "only zeros": (bytes(4096) + b"\n", "line 1"),
    "one JSON document": (json.dumps(whole(["PASS"], 0), indent=1).encode() + b"\n", "line 1"),
}
DAMAGES += [
    unable(f"bytes: {name}", RUN, "events.jsonl", said, lay=lay(content))
    for name, (content, said) in BYTES.items()
]


@pytest.mark.parametrize("one", DAMAGES)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
