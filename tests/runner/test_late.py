"""Tests that turn out not to apply once proxies were asked: no skip, no verdict, none missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.events import read
from meshproof.report.outcomes import planned_in
from meshproof.runner.late import does_not_apply, leave_out

SUITE = """
from types import SimpleNamespace

import pytest
from meshproof.expect import Outcome, Verdict
from meshproof.model import Capability, Version
from meshproof.run.session import Session
from meshproof.runner.applies import requires

PASS = Verdict(Outcome.PASS, "this", "that")
Session.bundle = SimpleNamespace(filters_off={{Version(1, 31, 1): {off}}})

@pytest.fixture
def sample(request):
    return request.param

@requires(Capability.ISTIO_FILTERS)
def test_a(sample, caller, judge):
    '''It is counted.'''
    judge(PASS)

def test_b(sample, judge):
    judge(PASS)
"""


@pytest.mark.parametrize(
    ("off", "lacking"),
    [
        ((), ""),
        (("istio.alpn",), ""),
        (("istio.stats",), "istio.stats"),
        (("istio.metadata_exchange", "istio.stats"), "istio.metadata_exchange and istio.stats"),
    ],
)
def test_what_proxies_lack_is_told_when_it_is_known(
    off: tuple[str, ...], lacking: str, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_it=SUITE.format(off=off))
    done = pytester.runpytest_subprocess(
        "--meshproof-conformance",
        "--meshproof-enforce",
        "--meshproof-mtls=strict",
        "--meshproof-topology=primary-remote-flat",
        timeout=120,
    )
    assert done.ret == 0
    (path,) = pytester.path.glob("reports/*/events.jsonl")
    events = read(path)
    judged = {one.data["behaviour"] for one in events if one.kind == "test"}
    assert len(judged) == (1 if lacking else 2)
    reasons = {one.data["reason"] for one in events if one.kind == "not-applicable"}
    told = f"needs proxies with Istio's own filters, and these lack {lacking}"
    assert reasons == ({told} if lacking else set())
    assert all(("test_a" in one) is False or not lacking for one in planned_in(events))
    if lacking:
        done.stdout.fnmatch_lines(["n/a *needs proxies with Istio's own*"])


MACHINES = """
from types import SimpleNamespace

import pytest
from meshproof.expect import Outcome, Verdict
from meshproof.run.session import Session

Session.bundle = SimpleNamespace(source="{source}")

@pytest.fixture
def sample(request):
    return request.param

@pytest.mark.machines
def test_a(sample, judge):
    judge(Verdict(Outcome.PASS, "this", "that"))

def test_b(sample, judge):
    judge(Verdict(Outcome.PASS, "this", "that"))
"""


@pytest.mark.parametrize("source", ["built", "published"])
def test_machines_need_programs_which_are_not_published(
    source: str, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_it=MACHINES.format(source=source))
    done = pytester.runpytest_subprocess(
        "--meshproof-conformance",
        "--meshproof-enforce",
        "--meshproof-mtls=strict",
        "--meshproof-topology=vm-expansion",
        "--meshproof-topology=primary-remote-flat",
        timeout=120,
    )
    assert done.ret == 0
    (path,) = pytester.path.glob("reports/*/events.jsonl")
    events = read(path)
    judged = [one.data["behaviour"] for one in events if one.kind == "test"]
    reasons = {one.data["reason"] for one in events if one.kind == "not-applicable"}
    late = any("need Istio's programs" in one for one in reasons)
    assert (len(judged), late) == ((1, True) if source == "published" else (2, False))


def test_who_is_left_out_by_a_mesh_is_ended_and_does_not_apply() -> None:
    item: Any = SimpleNamespace(stash=pytest.Stash())
    assert not does_not_apply(item)
    with pytest.raises(pytest.skip.Exception, match="sleep has rejected Listener"):
        leave_out(item, "needs other proxies, and sleep has rejected Listener")
    assert does_not_apply(item)
