"""What tests require of a lab: where it is absent they do not apply, and the reason is told."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import pytest

from meshproof.errors import UsageError
from meshproof.events import read
from meshproof.lab import KindLab
from meshproof.model import Capability
from meshproof.runner.applies import lacking, required_by, requires
from tests.runner.uses import suite_tests, uses

EVERYTHING = frozenset(Capability)
WIRINGS = ("isolated", "flat")


@pytest.mark.parametrize("one", Capability)
def test_a_lab_that_lacks_what_is_required_is_told_by_its_reason(one: Capability) -> None:
    marks = [requires(one).mark]
    assert lacking(marks, EVERYTHING) is None
    assert lacking(marks, EVERYTHING - {one}) == one.value
    assert lacking([], frozenset()) is None


def test_a_test_requires_what_its_module_requires_too() -> None:
    marks = [requires(Capability.NODES).mark, requires(Capability.ROUTER).mark]
    assert required_by(marks) == (Capability.ROUTER, Capability.NODES)
    assert lacking(marks, {Capability.ROUTER}) == Capability.NODES.value


def test_what_is_no_capability_is_refused() -> None:
    with pytest.raises(UsageError, match=r"there is no marker requires\('router'\): write one of "):
        required_by([pytest.mark.requires("router").mark])


def test_the_labs_of_kind_clusters_can_do_everything() -> None:
    assert KindLab.capabilities == EVERYTHING


def said(nodes: Iterable[ast.expr]) -> set[Capability]:
    """What decorators, or a module's own markers, require."""
    calls = [one for node in nodes for one in ast.walk(node) if isinstance(one, ast.Call)]
    required = [one for one in calls if ast.unparse(one.func) == "requires"]
    names = [arg.attr for one in required for arg in one.args if isinstance(arg, ast.Attribute)]
    return {Capability[name] for name in names}


def test_every_suite_requires_what_it_uses_and_nothing_else() -> None:
    found = list(suite_tests())
    assert len(found) > 100
    wrong = {}
    for place, function, module in found:
        marked = [
            node.value
            for node in module.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
        ]
        says = said([*function.decorator_list, *marked])
        if says != uses(place):
            wrong["::".join(place)] = f"says {says}, uses {set(uses(place))}"
    assert wrong == {}


def test_what_uses_are_known_by_exists() -> None:
    used = set().union(*(uses(place) for place, *_ in suite_tests()))
    assert used == EVERYTHING - {Capability.BAKED_IMAGES}


SUITE = """
import pytest
from meshproof.expect import Outcome, Verdict
from meshproof.lab import KindLab
from meshproof.model import Capability
from meshproof.runner.applies import requires

PASS = Verdict(Outcome.PASS, "this", "that")
KindLab.capabilities = frozenset({Capability.NODES})

@pytest.fixture
def lab(request):
    return request.param

@pytest.fixture
def sample(request):
    return request.param

@requires(Capability.ROUTER)
def test_a(sample, caller, judge):
    '''It is counted.'''
    judge(PASS)

@requires(Capability.NODES)
def test_b(sample, judge):
    judge(PASS)

@requires(Capability.ROUTER)
@pytest.mark.bare_lab("east,west", "isolated", "flat")
def test_c(lab, pair, judge):
    '''It is let through.'''
    judge(PASS)

@pytest.mark.bare_lab("east,west", "isolated")
def test_d(lab, judge):
    judge(PASS)
"""


@pytest.mark.parametrize(("asked", "bare"), [(["bare"], True), ([], False)])
def test_what_a_lab_cannot_do_is_declared_not_applicable_and_no_skip(
    pytester: pytest.Pytester, asked: list[str], bare: bool
) -> None:
    pytester.makepyfile(test_it=SUITE)
    names = [f"--meshproof-topology={one}" for one in ["primary-remote-flat", *asked]]
    done = pytester.runpytest_subprocess(
        "--meshproof-conformance",
        "--meshproof-enforce",
        "--meshproof-mtls=strict",
        *names,
        timeout=120,
    )
    assert done.ret == 0
    (path,) = pytester.path.glob("reports/*/events.jsonl")
    events = read(path)
    planned = [one.rpartition("::")[2].partition("[")[0] for one in events[0].data["tests"]]
    assert planned == ["test_b", *(["test_d"] if bare else [])]
    left_out = [event.data for event in events if event.kind == "not-applicable"]
    told = {(one["sentence"], one["deployment"], one["reason"]) for one in left_out}
    reason = Capability.ROUTER.value
    on_bare = {("It is let through.", f"disjoint-cidrs+{wiring}", reason) for wiring in WIRINGS}
    assert told == {
        ("It is counted.", "primary-remote-flat+1.31.1+strict", reason),
        *(on_bare if bare else ()),
    }
    done.stdout.fnmatch_lines([f"n/a * {reason[:40]}*"])  # the rest may be on the next line
