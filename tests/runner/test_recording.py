"""The record of a run: what it holds, that the end of a run is reckoned from it, and what becomes
of a run whose record cannot be written."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from meshproof.events import Event, read
from meshproof.files import request_data
from meshproof.model import RunRequest
from meshproof.schema import SCHEMA

HEAD = """
import pytest
from pathlib import Path
from meshproof.expect import Outcome, Verdict
from meshproof.runner.behaviours import behaviour, proves
from meshproof.runner.stash import SESSION

@pytest.fixture
def lab(request):
    return request.param

@pytest.fixture
def sample(request):
    return request.param

@pytest.fixture
def recorder(pytestconfig):
    return pytestconfig.stash[SESSION].recorder

PASS, FAIL, UNCLEAR = (
    Verdict(outcome, "this", "that", {"seen": "so"}) for outcome in Outcome
)
ON = pytest.mark.bare_lab("east,west=same", "isolated")
"""
FLAT = "primary-remote-flat"
BODY = """
@behaviour("lake/holds-water", feature="names", level="core")
def test_a(sample, caller, recorder, judge):
    '''It holds water.'''
    with recorder.step("look"):
        judge(PASS)

@ON
def test_b(lab, pair, judge):
    judge(FAIL)

@ON
@proves("lake/holds-water")
def test_c(lab, judge):
    judge(PASS)
    raise ZeroDivisionError
"""


def run(pytester: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=HEAD + body)
    quiet = ("--meshproof-conformance", "--capture=no", "-qq", "--no-header", "--no-summary")
    asked = (
        options if "--meshproof-topology" in options else ("--meshproof-topology=bare", *options)
    )
    return pytester.runpytest_subprocess(*quiet, *asked, timeout=120)


def last(result: pytest.RunResult) -> str:
    """The last line that is said."""
    return next(line for line in reversed(result.outlines) if line)


def recorded(pytester: pytest.Pytester) -> list[Event]:
    """What the one run has recorded, as it is read again."""
    (path,) = pytester.path.glob("reports/*/events.jsonl")
    return read(path)


def of(events: list[Event], kind: str) -> list[dict[str, Any]]:
    return [event.data for event in events if event.kind == kind]


def test_the_record_begins_with_what_was_asked_for_and_what_it_is_asked_of(
    pytester: pytest.Pytester,
) -> None:
    asked = (
        "--meshproof-topology",
        "bare",
        "--meshproof-topology",
        FLAT,
        "--meshproof-mtls",
        "strict",
        "--meshproof-kubernetes",
        "1.36.1",
    )
    run(pytester, BODY, *asked)
    events = recorded(pytester)
    assert (events[0].kind, events[-1].kind) == ("run-begin", "run-end")
    begin = events[0].data
    assert begin["schema"] == SCHEMA
    asked_for = RunRequest(
        topology=("bare", FLAT),
        mtls=("strict",),
        kubernetes="1.36.1",
        suites=(str(pytester.path),),
        workers="1",
        reports=pytester.path / "reports",
    )
    assert begin["request"] == request_data(asked_for)
    assert begin["machine"]["cores"] >= 1 and begin["machine"]["memory"] > 2**20
    assert begin["machine"]["kernel"] and "distribution" in begin["machine"]
    meshed, bare = sorted(begin["deployments"], key=lambda one: "wiring" in one)
    assert meshed == {
        "id": f"{FLAT}+1.31.1+strict",
        "topology": FLAT,
        "istio": {"east": "1.31.1", "west": "1.31.1"},
        "kubernetes": "1.36.1",
        "mtls": "strict",
        "variants": [],
        "revision": "",
        "upgrade": None,
        "installer": "istioctl",
    }
    assert bare == {
        "id": "same-cidrs+isolated",
        "clusters": {"east": "east", "west": "same"},
        "wiring": "isolated",
        "kubernetes": "1.36.1",
    }
    drawn = begin["topologies"]
    assert drawn.keys() == {meshed["id"], bare["id"]}
    east, west = drawn[meshed["id"]]["clusters"]
    assert (east["role"], west["role"], west["primary"]) == ("primary", "remote", "east")
    assert (east["reads"], west["reads"], east["gateway"]) == (["west"], [], None)
    assert (east["versions"], east["network"]) == ({"v1": 1}, west["network"])
    flows = [("east", "west", ["api", "gateway", "pod"]), ("west", "east", ["gateway", "pod"])]
    assert [tuple(one.values()) for one in drawn[meshed["id"]]["passes"]] == flows
    assert [one["name"] for one in drawn[bare["id"]]["clusters"]] == ["east", "west"]
    assert "pod" not in drawn[bare["id"]]["passes"][0]["flows"]
    proof = begin["proofs"]["lake/holds-water"]
    assert [name.partition("/")[2] for name in proof["sabotages"]] == ["c"]
    assert [test.partition("[")[0].partition("::")[2] for test in begin["tests"]] == [
        "test_a",
        "test_a",
        "test_b",
        "test_b",
        "test_c",
    ]


def test_a_test_is_recorded_with_its_behaviour_its_deployment_and_its_verdict(
    pytester: pytest.Pytester,
) -> None:
    run(
        pytester,
        BODY,
        "--meshproof-topology",
        "bare",
        "--meshproof-topology",
        FLAT,
        "--meshproof-mtls",
        "strict",
    )
    events = recorded(pytester)
    tests = {one["test"]: one for one in of(events, "test")}
    east = tests[f"test_it.py::test_a[{FLAT}+1.31.1+strict-from-east]"]
    told = {name: east[name] for name in ("behaviour", "sentence", "level", "feature", "caller")}
    assert told == {
        "behaviour": "lake/holds-water",
        "sentence": "It holds water.",
        "level": "core",
        "feature": "names",
        "caller": "east",
    }
    assert (east["deployment"]["topology"], east["outcome"], east["pair"]) == (FLAT, "PASS", None)
    paired = tests["test_it.py::test_b[same-cidrs+isolated-west-to-east]"]
    assert (paired["pair"], paired["outcome"]) == (["west", "east"], "FAIL")
    # Without a decorator the id is made of folder and name.
    assert paired["behaviour"] == f"{paired['suite'].replace('_', '-')}/b"
    broken = tests["test_it.py::test_c[same-cidrs+isolated]"]
    assert broken["proves"] == ["lake/holds-water"]
    # Its kind and place: the words of such an error alone say nothing to whoever reads them.
    assert re.match(r"ZeroDivisionError \(.*/test_it\.py:\d+\): an error in", broken["why"])
    verdicts = of(events, "verdict")
    assert [one["test"] for one in verdicts] == events[0].data["tests"]
    assert verdicts[0]["evidence"] == {"seen": "so"}
    # Whatever happens meanwhile is the test's.
    (step, *_) = of(events, "step-end")
    assert (step["step"], step["test"]) == ("look", east["test"])


def test_a_test_of_one_machine_is_recorded_with_its_name(pytester: pytest.Pytester) -> None:
    # Machines ask what artifacts are made of, which would be made for that.
    body = """
from types import SimpleNamespace
from meshproof.run.session import Session

Session.bundle = SimpleNamespace(source="built")

@pytest.mark.machines
def test_m(sample, machine, judge):
    judge(PASS)
"""
    run(pytester, body, "--meshproof-topology", "vm-expansion", "--meshproof-mtls", "strict")
    tests = of(recorded(pytester), "test")
    assert [(one["machine"], one["caller"]) for one in tests] == [
        ("shop", None),
        ("till", None),
        ("depot", None),
    ]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_end_is_reckoned_from_the_record_and_report_says_the_same(
    pytester: pytest.Pytester, workers: str
) -> None:
    asked = (
        "--meshproof-topology",
        "bare",
        "--meshproof-topology",
        FLAT,
        "--meshproof-mtls",
        "strict",
        workers,
    )
    done = run(pytester, BODY, *asked)
    (folder,) = pytester.path.glob("reports/*")
    again = pytester.run(sys.executable, "-m", "meshproof", "report", str(folder))
    assert done.ret == again.ret == 1
    assert last(done) == last(again)
    assert last(done) == "FAILED: 2 of 5 held; 2 failed, 1 could not tell, 0 not run"
    tables = [
        [line for line in one.outlines if line[:1] in "┏┃┡│├└" and line] for one in (done, again)
    ]
    assert tables[0] and tables[0] == tables[1]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_test_that_holds_and_cannot_be_torn_down_could_not_tell(
    pytester: pytest.Pytester, workers: str
) -> None:
    body = """
@pytest.fixture
def fragile():
    yield
    raise OSError("it broke")

@ON
def test_a(fragile, lab, judge):
    judge(PASS)
"""
    done = run(pytester, body, workers)
    assert done.ret == 2
    assert [one["outcome"] for one in of(recorded(pytester), "test")] == ["PASS", "INCONCLUSIVE"]
    assert last(done).startswith("COULD NOT TELL: 0 of 1 held; 0 failed, 1 could not tell")


FULL = """
@ON
def test_a(lab, judge):
    judge(PASS)

@ON
def test_b(lab, recorder, judge):
    recorder.path = Path("/dev/full")
    judge({verdict})
"""


@pytest.mark.parametrize(
    ("workers", "verdict", "code", "line"),
    [
        ("-n0", "PASS", 2, "COULD NOT TELL: 2 of 2 held; 0 failed, 0 could not tell, 0 not run"),
        ("-n0", "FAIL", 1, "FAILED: 1 of 2 held; 1 failed, 0 could not tell, 0 not run"),
        # What a worker could not write nobody knows.
        ("-n1", "PASS", 2, "COULD NOT TELL: 1 of 2 held; 0 failed, 0 could not tell, 1 not run"),
        ("-n1", "FAIL", 2, "COULD NOT TELL: 1 of 2 held; 0 failed, 0 could not tell, 1 not run"),
    ],
)
def test_a_run_whose_record_cannot_be_written_is_no_pass(
    pytester: pytest.Pytester, workers: str, verdict: str, code: int, line: str
) -> None:
    done = run(pytester, FULL.format(verdict=verdict), workers)
    assert (done.ret, last(done)) == (code, line)
    done.stdout.fnmatch_lines(
        ["The record is not whole: the run's record /dev/full cannot be written (no space left*"]
    )


def test_a_record_that_vanishes_while_workers_are_followed_is_no_pass(
    pytester: pytest.Pytester,
) -> None:
    body = """
@ON
def test_a(lab, recorder, judge):
    recorder.path.unlink()
    recorder.path.mkdir()
    judge(PASS)
"""
    done = run(pytester, body, "-n1")
    assert done.ret == 2
    done.stdout.fnmatch_lines(["The record is not whole: *"])


def test_tests_of_others_leave_no_record(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_plain(): pass\n")
    assert pytester.runpytest_inprocess().ret == 0
    assert not Path(pytester.path, "reports").exists()


LOST = """
import types
from meshproof.errors import LabError
from meshproof.runner.stash import LABS

@pytest.fixture(autouse=True)
def labs(pytestconfig):
    found = types.SimpleNamespace(
        lab=None, kept=None, on_kept=None, unmet=(), lost=lambda: None
    )
    return pytestconfig.stash.setdefault(LABS, found)

ALL = pytest.mark.parametrize("number", range(3))

@ON
@ALL
def test_a(lab, labs, judge, number):
    if number == 1:  # in the middle of this test a node is killed
        lost = LabError("cluster east is lost: container one does not run")
        labs.lost = lambda: lost
        raise ConnectionError("refused")
    judge(PASS if number == 0 else FAIL)  # a verdict on what is no more is none

@pytest.fixture
def broken(labs):
    raise labs.lost()

@ON
@ALL
def test_b(lab, broken, number):
    pass
"""


def test_a_cluster_that_dies_in_the_middle_is_one_cause_whatever_each_test_says(
    pytester: pytest.Pytester,
) -> None:
    done = run(pytester, LOST)
    assert done.ret == 2
    tests = of(recorded(pytester), "test")
    cause = "cluster east is lost: container one does not run."
    assert [(one["outcome"], one["cause"]) for one in tests] == [
        ("PASS", ""),
        *[("INCONCLUSIVE", cause)] * 5,
    ]
    assert tests[1]["why"].startswith("ConnectionError: refused (")
    said = done.stdout.str()
    assert f"could not tell, 5 tests: {cause}" in said
    # One line of the first, one that there are others, and one at the end.
    assert said.count("  INCONCLUSIVE ") == 1 and said.count(cause) == 1
    assert said.count("more for the same reason") == 1


STAGES = """
import pytest
from meshproof.expect import Outcome, Verdict

@pytest.fixture
def sample(request):
    return request.param

@pytest.mark.upgrades
def test_on_the_way(sample, step, judge):
    judge(Verdict(Outcome.PASS, "this", "that"))

@pytest.mark.upgrades("canary")
def test_by_a_canary(sample, judge):
    judge(Verdict(Outcome.PASS, "this", "that"))

def test_at_rest(sample, judge):
    judge(Verdict(Outcome.PASS, "this", "that"))
"""


def test_a_test_of_an_upgrade_is_recorded_with_its_way_and_its_stage(
    pytester: pytest.Pytester,
) -> None:
    words = ("istio=1.31.0", "upgrade-to=1.31.1", f"topology={FLAT}", "mtls=strict")
    run(pytester, STAGES, *(f"--meshproof-{word}" for word in words))
    events = recorded(pytester)
    tests = of(events, "test")
    name = f"{FLAT}+1.31.0-to-1.31.1+strict+in-place"
    assert [one["test"].partition("[")[2] for one in tests] == [
        f"{name}-step-{number}]" for number in range(5)
    ]
    assert [one["step"] for one in tests] == [0, 1, 2, 3, 4]
    assert tests[0]["deployment"]["upgrade"] == {
        "to": "1.31.1",
        "strategy": "in-place",
        "first": "",
        "back_after": None,
        "words": "in-place",
    }
    reasons = {one["reason"] for one in of(events, "not-applicable")}
    assert reasons == {"by canary only", "not on the way to another Istio"}
