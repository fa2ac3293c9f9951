"""How a kept mesh is judged by a run of verify."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, LabError, WaitTimeoutError
from meshproof.mutants import judging
from meshproof.mutants.judging import Bench, judge, words

BENCH = Bench("0a1b2c3d", "primary-remote-flat", None, "podman", "1.36.3")
LATE = -1
DEPLOYMENT = {
    "id": "flat",
    "topology": "primary-remote-flat",
    "istio": {"east": "1.31.1"},
    "kubernetes": "1.36.3",
    "mtls": "strict",
    "variants": [],
    "revision": "",
}


def ended(outcome: str) -> str:
    event = {
        "at": 1.0,
        "kind": "test",
        "test": "t::a",
        "behaviour": "lake/prints",
        "sentence": "A.",
        "suite": "lake",
        "level": "core",
        "feature": "names",
        "deployment": DEPLOYMENT,
        "caller": None,
        "pair": None,
        "outcome": outcome,
        "why": "because",
        "cause": "",
        "seconds": 1.0,
        "evidence": [],
        "proves": [],
    }
    return json.dumps(event) + "\n"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    return tmp_path / "judged"


def played(monkeypatch: pytest.MonkeyPatch, reports: Path, code: int, record: str | None) -> None:
    def run(asked: list[str], *, printed: Path, within: float) -> int:
        assert asked[:2] == ["verify", "primary-remote-flat"]
        printed.write_text("first\nlab 0a1b2c3d is in use\n", encoding="utf-8")
        if record is not None:
            (reports / "run").mkdir()
            (reports / "run/events.jsonl").write_text(record, encoding="utf-8")
        if code == LATE:
            raise WaitTimeoutError(f"its end did not come about within {within:.0f} s")
        return code

    monkeypatch.setattr(judging, "run_program", run)


def test_verify_is_asked_for_some_behaviours_or_all() -> None:
    one = words(BENCH, ["lake/prints", "lake/other"], Path("/reports"))
    assert one[-4:] == ["--behaviour", "lake/prints", "--behaviour", "lake/other"]
    assert one[:4] == ["verify", "primary-remote-flat", "--reuse", "0a1b2c3d"]
    assert "--checkout" not in one
    tree = words(replace(BENCH, checkout=Path("/trees/istio")), None, Path("/reports"))
    assert tree[tree.index("--checkout") + 1] == "/trees/istio"
    assert "--behaviour" not in words(BENCH, None, Path("/reports"))


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, "PASS"),
        (EXIT_DID_NOT_HOLD, "FAIL"),
        (EXIT_COULD_NOT_TELL, "INCONCLUSIVE"),
        (LATE, "FAIL"),
    ],
)
def test_its_record_tells(
    monkeypatch: pytest.MonkeyPatch, reports: Path, code: int, outcome: str
) -> None:
    played(monkeypatch, reports, code, ended(outcome))
    found = judge(BENCH, ["lake/prints"], reports)
    assert [(one.behaviour, one.outcome) for one in found] == [("lake/prints", outcome)]


@pytest.mark.parametrize("record", [None, "", ended("skipped")])
def test_a_run_that_judged_nothing_is_told_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, reports: Path, record: str | None
) -> None:
    played(monkeypatch, reports, EXIT_COULD_NOT_TELL, record)
    with pytest.raises(LabError, match="lake/prints could not be judged: lab 0a1b2c3d is in use"):
        judge(BENCH, ["lake/prints"], reports)


@pytest.mark.parametrize(("count", "within"), [(1, 600), (10, 1140), (50, 1800)])
def test_many_behaviours_have_more_time_and_no_more_than_all(
    monkeypatch: pytest.MonkeyPatch, reports: Path, count: int, within: int
) -> None:
    played(monkeypatch, reports, LATE, None)
    with pytest.raises(LabError, match=f"did not come about within {within} s"):
        judge(BENCH, [f"lake/b{number}" for number in range(count)], reports)


def test_a_run_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch, reports: Path) -> None:
    played(monkeypatch, reports, LATE, None)
    with pytest.raises(LabError, match="could not be judged: its end did not come about within 6"):
        judge(BENCH, ["lake/prints"], reports)
