"""The plugin: exit codes, order, and that nothing unclear passes."""

from __future__ import annotations

import json

import pytest

HEAD = """
import pytest
from meshproof.errors import LabError
from meshproof.expect import Outcome, Verdict

@pytest.fixture
def lab(request):
    return request.param

PASS, FAIL, UNCLEAR = (Verdict(outcome, "this", "that") for outcome in Outcome)
"""
ON_ONE = '@pytest.mark.bare_lab("east,west", "isolated")\n'


def run(pytester: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=HEAD + body)
    quiet = ("--meshproof-conformance", "--meshproof-topology=bare")
    return pytester.runpytest_subprocess(*quiet, *options)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("judge(PASS)", 0),
        ("judge(FAIL)", 1),
        ("judge(UNCLEAR)", 2),
        ("raise LabError('cluster west is gone')", 2),
        ("pytest.skip('not here')", 2),
        ("pass", 2),
        ("raise ZeroDivisionError", 2),
    ],
)
def test_exit_codes(pytester: pytest.Pytester, body: str, code: int) -> None:
    result = run(pytester, f"{ON_ONE}def test_it(lab, judge):\n    {body}\n")
    assert result.ret == code


def test_what_did_not_hold_outranks_what_is_unclear(pytester: pytest.Pytester) -> None:
    bodies = "".join(
        f"{ON_ONE}def test_{name.lower()}(lab, judge):\n    judge({name})\n"
        for name in ("PASS", "UNCLEAR", "FAIL")
    )
    assert run(pytester, bodies).ret == 1


def test_a_run_without_tests_could_not_tell(pytester: pytest.Pytester) -> None:
    assert run(pytester, "def test_plain(): pass\n").ret == 2


def test_a_folder_that_is_not_there_is_told_as_by_pytest_alone(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("nowhere")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: file or directory not found: nowhere"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def test_the_summary_names_claim_expectation_and_observation(pytester: pytest.Pytester) -> None:
    body = f'{ON_ONE}def test_it(lab, judge):\n    """Fish swim."""\n    judge(FAIL)\n'
    result = run(pytester, body)
    result.stdout.fnmatch_lines(["*Fish swim.*FAILED (1)*", "FAIL: expected this; observed that*"])
    record = next(pytester.path.glob("reports/*/events.jsonl"))
    kinds = [json.loads(line)["kind"] for line in record.read_text().splitlines()]
    assert kinds == ["run-begin", "notice", "verdict", "test", "run-end"]


def test_the_networks_of_labs_come_out_of_the_pool_that_is_named(
    pytester: pytest.Pytester,
) -> None:
    body = """
from meshproof.runner.stash import SESSION
@pytest.mark.bare_lab("east,west", "isolated")
def test_it(lab, judge, pytestconfig):
    assert str(pytestconfig.stash[SESSION].choices.pool) == "10.213.0.0/16"
    judge(PASS)
"""
    assert run(pytester, body, "--meshproof-pool=10.213.0.0/16").ret == 0
    refused = run(pytester, body, "--meshproof-pool=10.213.0.1/16")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*10.213.0.1/16' does not begin where its range does*"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--meshproof-pool=10.213.0.0/24"], "*holds 1 network, and a lab needs 2: name a larger*"),
        (["--meshproof-pool=10.213.0.0/23", "-n2"], "*and each of 2 labs at once needs 2*"),
        (
            ["--meshproof-pool=10.213.0.0/16", "--meshproof-reuse=0a1b2c3d"],
            "*lab 0a1b2c3d has its networks already: leave --meshproof-pool or --meshproof-reuse*",
        ),
    ],
)
def test_a_pool_without_room_for_the_labs_is_refused_at_once(
    pytester: pytest.Pytester, options: list[str], said: str
) -> None:
    body = f"{ON_ONE}def test_it(lab, judge):\n    judge(PASS)\n"
    refused = run(pytester, body, *options)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert not list(pytester.path.glob("reports/*/events.jsonl"))


def test_bare_labs_are_visited_once_each(pytester: pytest.Pytester) -> None:
    body = """
@pytest.mark.bare_lab("east=same,west=same", "isolated")
def test_c(lab): pass
@pytest.mark.bare_lab("east,west", "isolated", "flat")
def test_a(lab, pair): pass
@pytest.mark.bare_lab("east,west", "flat")
def test_b(lab): pass
"""
    result = run(pytester, body, "--collect-only", "-q")
    listed = [line.partition("::")[2] for line in result.outlines if "::" in line]
    labs = [
        one.partition("[")[2].rstrip("]").split("-east-to")[0].split("-west-to")[0]
        for one in listed
    ]
    assert list(dict.fromkeys(labs)) == [
        "same-cidrs+isolated",
        "disjoint-cidrs+isolated",
        "disjoint-cidrs+flat",
    ]
    visits = [g for number, g in enumerate(labs) if number == 0 or labs[number - 1] != g]
    assert len(visits) == len(set(visits))


HEAD_OF_ONE = """
from meshproof.runner.behaviours import behaviour

@behaviour("lake/fish-swim", feature="isolation")
"""


def test_one_test_alone_and_none_at_all(pytester: pytest.Pytester) -> None:
    body = f"{ON_ONE}def test_a(lab, judge): judge(PASS)\n{ON_ONE}def test_b(lab, judge): 1 / 0\n"
    assert (
        run(pytester, body, "--meshproof-only=test_it.py::test_a[disjoint-cidrs+isolated]").ret == 0
    )
    named = f"{HEAD_OF_ONE}{ON_ONE}def test_a(lab, judge): judge(PASS)\n"
    body_of_one = f"{named}{ON_ONE}def test_b(lab, judge): 1 / 0\n"
    assert run(pytester, body_of_one, "--meshproof-only=lake/fish-swim").ret == 0
    missing = run(pytester, body, "--meshproof-only=test_it.py::test_c")
    assert missing.ret == 64
    (said,) = missing.errlines
    assert said.startswith(
        "there is no test or behaviour 'test_it.py::test_c' in what is asked for: did you "
    )
    assert "test_it.py::test_a[disjoint-cidrs+isolated]" in said
    missing.stdout.no_fnmatch_line("*there is no test*")


def test_what_would_remove_a_kept_lab_is_told_of(pytester: pytest.Pytester) -> None:
    body = (
        f"{ON_ONE}def test_a(lab, judge): judge(PASS)\n"
        f'{ON_ONE}@pytest.mark.last\ndef test_b(lab, judge):\n    """All goes."""\n'
    )
    result = run(pytester, body, "--meshproof-keep")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*not judged, since the lab is kept: All goes."])
    result = run(
        pytester,
        body,
        "--meshproof-keep",
        "--meshproof-only=test_it.py::test_b[disjoint-cidrs+isolated]",
    )
    result.stdout.no_fnmatch_line("*since the lab is kept*")
    assert result.ret == 2  # it was run, and judged nothing


def test_a_lab_without_a_marker_is_refused(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(lab): pass\n")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*uses a lab but has no marker bare_lab*"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--meshproof-topology=nowhere", "there is no topology 'nowhere'"),
        ("--meshproof-istio=far=1.31.0", "no topology chosen has a cluster 'far'"),
        ("--meshproof-variant=blue", "there is no variant 'blue'"),
        ("--meshproof-revision=Blue", "'Blue' is no name for a revision"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(
    pytester: pytest.Pytester, option: str, said: str
) -> None:
    pytester.makepyfile(test_it="def test_it(sample): pass\n")
    result = pytester.runpytest_inprocess("--meshproof-topology=primary-remote-flat", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{said}*"])


def test_sigterm_ends_a_run_as_ctrl_c_does(pytester: pytest.Pytester) -> None:
    body = """
import os, signal
@pytest.fixture
def held():
    yield
    print("cleaned up")
@pytest.mark.bare_lab("east,west", "isolated")
def test_it(lab, held):
    os.kill(os.getpid(), signal.SIGTERM)
    pytest.fail("went on")
"""
    result = run(pytester, body, "--capture=no")
    result.stdout.fnmatch_lines(["*cleaned up*"])
    assert result.ret == 2
