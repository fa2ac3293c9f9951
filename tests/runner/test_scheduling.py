"""Runs of given matrices, with and without workers: what is made, by whom, and how it is told.

Labs and meshes are stand-ins (stand_ins.py); options, Labs, plan, scheduler and xdist are real.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from meshproof.events import worker_name

STAND_INS = Path(__file__).with_name("stand_ins.py")
TOPOLOGY = """
name: {name}
clusters:
  east: {{role: primary, network: {east}, gateway: true{kind}}}
  west: {{role: remote, primary: east, network: {west}, gateway: true{kind}}}
"""
SAME = ", kind-config: same"
FLAT, SPLIT, ALIKE = "on-one-network", "on-two-networks", "with-the-same-ranges"
SUITE = """
import os, signal, time
import psutil, pytest
from meshproof.expect import Outcome, Verdict
from conftest import note

@pytest.fixture
def verdict(judge):
    return lambda outcome=Outcome.PASS: judge(Verdict(outcome, "this", "that"))

def note_use(sample):
    note("use", sample.mesh.deployment)
"""
EVERYWHERE = """
def test_everywhere(sample, caller, verdict):
    '''It holds everywhere.'''
    note_use(sample)
    verdict()

@pytest.mark.mtls("strict", "disabled")
@pytest.mark.networks(1)
def test_in_both_modes(sample, verdict):
    '''It holds in both modes.'''
    note_use(sample)
    verdict()

@pytest.mark.bare_lab("east,west", "isolated", "flat")
def test_bare(lab, verdict):
    '''It holds on bare clusters.'''
    verdict()

def test_everywhere_again(sample, verdict):
    '''It holds again.'''
    note_use(sample)
    verdict()
"""
ISTIO = "1.31.1"


class Run:
    """A finished run, and what it has made."""

    def __init__(self, pytester: pytest.Pytester, result: pytest.RunResult) -> None:
        self.code = result.ret
        self.lines = result.outlines
        log = pytester.path / "made.log"
        self.log = [tuple(line.split()) for line in log.read_text().splitlines() if line]
        records = list(pytester.path.glob("reports/*/events.jsonl"))
        assert len(records) <= 1
        text = records[0].read_text() if records else ""
        self.events = [json.loads(line) for line in text.splitlines()]
        self.tests = [event for event in self.events if event["kind"] == "test"]

    def made(self, what: str) -> Counter[str]:
        """How often each thing was made, changed or used."""
        return Counter(entry[2] for entry in self.log if entry[1] == what)

    def workers(self, what: str) -> dict[str, set[str]]:
        """Which workers have made, changed or used each thing."""
        found: dict[str, set[str]] = {}
        for worker, _, which in (entry for entry in self.log if entry[1] == what):
            found.setdefault(which, set()).add(worker)
        return found

    def told(self, text: str) -> list[str]:
        """The lines of the terminal that contain a text."""
        return [line for line in self.lines if text in line]


def run(pytester: pytest.Pytester, names: list[str], suite: str, *options: str) -> Run:
    shapes = {FLAT: ("shared", "shared", ""), SPLIT: ("a", "b", ""), ALIKE: ("a", "b", SAME)}
    files = []
    for name in names:
        east, west, kind = shapes[name]
        path = pytester.path / f"{name}.yaml"
        path.write_text(TOPOLOGY.format(name=name, east=east, west=west, kind=kind))
        files.append(f"--meshproof-topology-file={path}")
    pytester.makeconftest(STAND_INS.read_text())
    pytester.makepyfile(test_it=SUITE + suite)
    quiet = ("--meshproof-conformance", "--capture=no", "-qq", "--no-header", "--no-summary")
    meshes = (
        (f"--meshproof-istio={ISTIO}", "--meshproof-mtls=strict", "--meshproof-mtls=disabled")
        if files
        else ()
    )
    asked = ("--meshproof-topology=bare", *meshes, *files)
    result = pytester.runpytest_subprocess(*quiet, *asked, *options, timeout=120)
    return Run(pytester, result)


def topology(event: dict[str, Any]) -> str:
    """What a test ran on, without versions and modes."""
    return str(event["deployment"]["id"].partition("+")[0])


def installed(*names: str) -> Counter[str]:
    return Counter(f"{name}+{ISTIO}+strict" for name in names)


def test_one_process_makes_each_footprint_and_each_installation_once(
    pytester: pytest.Pytester,
) -> None:
    done = run(pytester, [FLAT, ALIKE, SPLIT], EVERYWHERE)
    assert done.code == 0
    assert done.made("create") == Counter({"east+west": 1, "same": 1})
    assert done.made("remove") == done.made("create")
    assert done.made("install") == installed(FLAT, SPLIT, ALIKE)
    assert done.made("turn") == Counter({f"{FLAT}+{ISTIO}+disabled": 1})
    assert {event["outcome"] for event in done.tests} == {"PASS"}
    assert len(done.told("Record: ")) == 1


def test_two_workers_install_nothing_twice_split_nothing_and_are_told_of_as_one_run(
    pytester: pytest.Pytester,
) -> None:
    done = run(pytester, [FLAT, ALIKE, SPLIT], EVERYWHERE, "-n2")
    assert done.code == 0
    assert done.made("install") == installed(FLAT, SPLIT, ALIKE)
    assert all(len(workers) == 1 for workers in done.workers("use").values())
    # Both modes of one topology are one installation.
    assert done.workers("turn").popitem()[1] == done.workers("install")[f"{FLAT}+{ISTIO}+strict"]
    # One footprint each; whoever is ready first may help the other, with a lab of its own.
    assert len(done.workers("create")["same"]) == 1
    assert sum(done.made("create").values()) <= 3
    assert max(Counter(entry for entry in done.log if entry[1] == "create").values()) == 1
    assert done.made("remove") == done.made("create")

    assert len(done.tests) == len(done.told("  PASS  ")) == 13
    of_the_run = ("run-begin", "not-applicable", "notice", "run-end")
    by_workers = [event for event in done.events if event["kind"] not in of_the_run]
    (notice,) = done.told("nothing is judged on: ")
    assert notice.endswith(f"{SPLIT}+{ISTIO}+disabled")
    assert {event["worker"] for event in by_workers} == {"gw0", "gw1"}
    (line,) = done.told(f"It holds in both modes. ({FLAT}+{ISTIO}+disabled)")
    turned = done.told("turn the mesh to mTLS disabled")
    assert line.split()[1:3] == turned[0].split()[1:3] in (["worker", "1"], ["worker", "2"])
    assert done.lines.index(turned[0]) < done.lines.index(line)
    assert len(done.told("Record: ")) == len(done.told("Behaviours (1 of ")) == 1


@pytest.mark.parametrize("workers", ["-n0", "-n3"])
def test_a_failed_bring_up_is_attempted_once_and_is_every_tests_cause(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("STAND_IN_FAILS", "east+west")
    done = run(pytester, [FLAT, SPLIT, ALIKE], EVERYWHERE, workers)
    assert done.code == 2
    assert done.made("create") == Counter({"east+west": 1, "same": 1})
    outcomes = {
        (event["deployment"]["id"].partition("+")[0], event["outcome"]) for event in done.tests
    }
    failing = {FLAT, SPLIT, "disjoint-cidrs"}
    assert outcomes == {(ALIKE, "PASS"), *((name, "INCONCLUSIVE") for name in failing)}
    whys = {event["why"] for event in done.tests if event["outcome"] != "PASS"}
    assert whys == {"east+west did not come up."}
    assert len(done.told("east+west did not come up.")) == 1  # in common, so told once


INTERRUPTED = """
def test_it(sample, verdict):
    '''It is interrupted.'''
    note_use(sample)
    if sample.mesh.deployment.topology.name == "{name}":
        time.sleep(0.5)
        controller = psutil.Process(os.getppid())
        for process in {processes}:
            process.send_signal(signal.{signal})
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("signal", "processes"),
    [("SIGTERM", "[controller]"), ("SIGINT", "[controller, *controller.children()]")],
    ids=["controller", "as-by-ctrl-c"],
)
def test_an_interruption_lets_every_worker_remove_its_lab(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, signal: str, processes: str
) -> None:
    monkeypatch.setenv("STAND_IN_REMOVAL", "2")
    suite = INTERRUPTED.format(name=ALIKE, signal=signal, processes=processes)
    done = run(pytester, [FLAT, ALIKE], suite, "-n2")
    assert done.made("create") == done.made("remove") == Counter({"east+west": 1, "same": 1})


DIES = """
@pytest.mark.bare_lab("east,west", "isolated")
def test_a(lab, verdict):
    verdict()

@pytest.mark.bare_lab("east=same,west=same", "isolated")
def test_b(lab):
    os._exit(1)

@pytest.mark.bare_lab("east=same,west=same", "isolated")
def test_c(lab, verdict):
    verdict()

@pytest.mark.bare_lab("east=same,west=same", "flat")
def test_d(lab, verdict):
    verdict()
"""


def test_a_worker_that_dies_leaves_its_test_unclear(pytester: pytest.Pytester) -> None:
    done = run(pytester, [], DIES, "-n2", "--max-worker-restart=0")
    assert done.code == 2
    outcomes = {event["test"].partition("[")[0]: event["outcome"] for event in done.tests}
    assert outcomes == {"test_it.py::test_a": "PASS", "test_it.py::test_b": "INCONCLUSIVE"}
    assert done.told("2 not run")
    assert done.told("the worker that ran this test has ended before the test did")
    # The controller writes that down, for the worker that the test was given to.
    (died,) = [event for event in done.tests if event["outcome"] != "PASS"]
    assert {died["worker"]} == done.workers("create")["same"]
    (told,) = done.told("  INCONCLUSIVE ")
    assert " ".join(told.split()[1:3]) == worker_name(died["worker"])


DIES_IDLE = """
@pytest.fixture(autouse=True, scope="module")
def the_other_dies():
    # Nothing is given to it before this lab has come up.
    for process in psutil.Process(os.getppid()).children():
        if process.pid != os.getpid():
            process.kill()
    time.sleep(1)

def test_a(sample, verdict):
    verdict()

def test_b(sample, verdict):
    verdict()
"""


def test_a_worker_that_dies_with_nothing_to_do_is_no_reason_to_pass(
    pytester: pytest.Pytester,
) -> None:
    done = run(pytester, [FLAT, SPLIT], DIES_IDLE, "-n2", "--max-worker-restart=0")
    assert [
        (event["deployment"]["id"].partition("+")[0], event["outcome"]) for event in done.tests
    ] == [
        (FLAT, "PASS"),
        (FLAT, "PASS"),
    ]
    assert done.told("2 not run")
    assert done.code == 2


def test_several_workers_and_one_kept_lab_are_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass\n")
    result = pytester.runpytest_subprocess("--meshproof-conformance", "--meshproof-keep", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--meshproof-keep is about one lab, and each of 2 workers has its own*"]
    )
