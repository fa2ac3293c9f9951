"""Allure's results: what is in them, beside them, and that a record is there once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshproof.report.formats import rendered
from meshproof.report.record import Record
from tests.report import runs as made
from tests.report.runs import EVERY, FLAT, HEADER, HOSTILE, LINK, SPLIT, a_test, known


def results(record: Record, folder: Path) -> list[dict[str, Any]]:
    (path,) = rendered(record, "allure", folder / "made")
    found = [json.loads(one.read_text()) for one in path.glob("*-result.json")]
    return sorted(found, key=lambda one: one["fullName"])


def labels(one: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in one["labels"]:
        found.setdefault(label["name"], []).append(label["value"])
    return found


def test_a_test_has_labels_parameters_steps_and_attachments(tmp_path: Path) -> None:
    (one,) = results(made.record(tmp_path, a_test()), tmp_path)
    told = labels(one)
    assert (told["feature"], told["story"]) == (["routing"], [HEADER])
    assert told["severity"] == ["critical"]
    assert (told["parentSuite"], told["subSuite"]) == (["primary-remote-flat"], [FLAT])
    assert "host" not in told
    parameters = {each["name"]: each["value"] for each in one["parameters"]}
    assert parameters == {
        "test": f"{FLAT}-from-east",
        "deployment": FLAT,
        "Istio": "1.31.1",
        "Kubernetes": "1.36.3",
        "mTLS": "strict",
        "clusters": "from east",
    }
    install, calls, verdict = one["steps"]
    assert (install["name"], install["status"]) == ("install istiod", "passed")
    assert install["steps"][0]["name"] == "apply routes in east"
    assert calls["name"] == "20 calls from sleep in east to http://helloworld:5000/hello"
    assert {each["name"] for each in calls["parameters"]} == {"answers", "versions", "upstreams"}
    assert verdict["name"] == "PASS: expected v2 alone; observed v1"
    attached = tmp_path / "made/allure-results" / verdict["attachments"][0]["source"]
    assert "answers: v1 17 times, v2 3 times" in attached.read_text()
    assert one["start"] <= install["start"] <= install["stop"] <= one["stop"]


@pytest.mark.parametrize(
    ("outcome", "status", "begins"),
    [
        ("FAIL", "failed", "FAIL: it"),
        ("INCONCLUSIVE", "broken", "INCONCLUSIVE: it"),
        ("skipped", "skipped", "skipped: it"),
    ],
)
def test_each_outcome_has_a_status_and_a_message(
    tmp_path: Path, outcome: str, status: str, begins: str
) -> None:
    record = made.record(tmp_path, a_test(outcome=outcome, why="it sank\nbecause"))
    (one,) = results(record, tmp_path)
    assert (one["status"], one["statusDetails"]["known"]) == (status, False)
    assert one["statusDetails"]["message"] == f"{begins} sank because"
    assert one["statusDetails"]["trace"] == "it sank\nbecause"


def test_a_known_issue_is_a_known_failure_with_its_link(tmp_path: Path) -> None:
    (one,) = results(made.record(tmp_path, known()), tmp_path)
    assert (one["status"], one["statusDetails"]["known"]) == ("failed", True)
    assert one["statusDetails"]["message"].startswith("KNOWN: istio/istio#32819: One of them")
    assert one["links"] == [{"type": "issue", "url": LINK, "name": "istio/istio#32819"}]


def test_every_message_falls_into_a_category(tmp_path: Path) -> None:
    import re

    tests = [a_test(of=f"-{n}", outcome=n) for n in ("FAIL", "INCONCLUSIVE", "skipped")]
    record = made.record(tmp_path, *tests, known(), lacking=["s/t.py::test_u"], code=None)
    found = results(record, tmp_path)
    categories = json.loads((tmp_path / "made/allure-results/categories.json").read_text())
    names = set()
    for one in found:
        fits = [
            each["name"]
            for each in categories
            if one["status"] in each["matchedStatuses"]
            and re.fullmatch(each["messageRegex"], one["statusDetails"]["message"])
        ]
        assert len(fits) == 1
        names |= set(fits)
    assert names == {each["name"] for each in categories}


def test_what_the_run_was_made_of_lies_beside(tmp_path: Path) -> None:
    results(made.record(tmp_path, a_test(), a_test(EVERY, SPLIT)), tmp_path)
    lines = (tmp_path / "made/allure-results/environment.properties").read_text().splitlines()
    assert "istio = 1.31.1" in lines and "proxy.of.istio.1.31.1 = plain Envoy 1.40.0" in lines


def test_evidence_is_attached_as_far_as_it_is_the_runs_own(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    run = tmp_path / "run"
    pages = run / "evidence" / "it"
    pages.mkdir(parents=True)
    (pages / "00-index.md").write_text("# Evidence")
    (pages / "10-east-pods.txt").write_text("sleep")
    (pages / "90-large.log").write_bytes(bytes(2**20 + 1))
    (pages / "91-link.txt").symlink_to(secret)
    named = ["evidence/it/00-index.md", "../secret", str(secret), "events.jsonl", "no\0thing", ""]
    (one,) = results(made.record(tmp_path, a_test(outcome="FAIL", evidence=named)), tmp_path)
    assert [(each["name"], each["type"]) for each in one["attachments"]] == [
        ("evidence: evidence/it/00-index.md", "text/markdown"),
        ("evidence: evidence/it/10-east-pods.txt", "text/plain"),
    ]
    source = one["attachments"][0]["source"]
    assert source.endswith(".md")
    assert (tmp_path / "made/allure-results" / source).read_text() == "# Evidence"


def test_a_record_that_is_rendered_twice_is_there_once(tmp_path: Path) -> None:
    record = made.record(tmp_path, a_test(), known(on=SPLIT), lacking=["s/t.py::test_u"])
    results(record, tmp_path)
    before = {path.name for path in (tmp_path / "made/allure-results").iterdir()}
    results(record, tmp_path)
    assert {path.name for path in (tmp_path / "made/allure-results").iterdir()} == before


def test_a_step_that_failed_or_never_ended_says_so(tmp_path: Path) -> None:
    from meshproof.events import Event
    from meshproof.report.cases import case_of

    marks = {"test": "t"}
    said = a_test(outcome="INCONCLUSIVE")
    events = [
        Event(1.0, "step-begin", {"step": "a", **marks}),
        Event(2.0, "step-begin", {"step": "b", **marks}),
        Event(3.0, "step-end", {"step": "a", "seconds": 2.0, "outcome": "it broke", **marks}),
        Event(9.0, "test", said),
    ]
    case = case_of(events, tmp_path)
    assert case is not None
    (step,) = case.steps
    assert (step.outcome, step.ended, step.steps[0].outcome) == ("it broke", 3.0, "")


def test_hostile_text_is_text(tmp_path: Path) -> None:
    issue = [{"link": "javascript:alert(1)", "seen": HOSTILE, "shows": True}]
    hostile = known(why=HOSTILE, known_issues=issue, of=HOSTILE) | {"sentence": HOSTILE}
    (one,) = results(made.record(tmp_path, hostile, evidence=HOSTILE), tmp_path)
    assert "links" not in one and len(json.dumps(one)) < 100_000
