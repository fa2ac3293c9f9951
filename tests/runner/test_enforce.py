"""`--enforce`: nothing is skipped but by declaration."""

from __future__ import annotations

import pytest

HEAD = """
import pytest
from meshproof.expect import Outcome, Verdict

@pytest.fixture
def lab(request):
    return request.param

PASS = Verdict(Outcome.PASS, "this", "that")
ON = pytest.mark.bare_lab("east,west", "isolated")

@ON
def test_held(lab, judge):
    judge(PASS)
"""


def run(pytester: pytest.Pytester, body: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=f"{HEAD}\n{body}\n")
    bare = ("--meshproof-conformance", "--meshproof-topology=bare")
    return pytester.runpytest_inprocess(*bare, *options)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("@ON\ndef test_it(lab):\n    pytest.skip('no lake here')", "skipped: no lake here"),
        ("@ON\n@pytest.mark.skip(reason='later')\ndef test_it(lab): pass", "skipped: later"),
        ("@ON\n@pytest.mark.skipif(True, reason='old')\ndef test_it(lab): pass", "skipped: old"),
        (
            "@ON\n@pytest.mark.xfail(reason='known')\ndef test_it(lab, judge): 1 / 0",
            "skipped: expected to fail: known",
        ),
        ("@ON\n@pytest.mark.xfail\ndef test_it(lab, judge): 1 / 0", "*to fail: division by zero"),
    ],
)
def test_what_is_skipped_has_failed(pytester: pytest.Pytester, body: str, reason: str) -> None:
    lenient = run(pytester, body)
    assert lenient.ret == 2
    strict = run(pytester, body, "--meshproof-enforce")
    assert strict.ret == 1
    strict.stdout.fnmatch_lines(["FAILED: test_it.py::test_it*", reason])


def test_a_suite_that_skips_itself_cannot_be_read(pytester: pytest.Pytester) -> None:
    body = "pytest.skip('not on Tuesdays', allow_module_level=True)"
    result = run(pytester, body, "--meshproof-enforce")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*test_it.py: skipped: not on Tuesdays*"])


def test_what_is_declared_not_to_apply_is_no_failure(pytester: pytest.Pytester) -> None:
    body = """
@pytest.fixture
def sample(request):
    return request.param

@pytest.mark.networks(2)
def test_it(sample, judge):
    judge(PASS)
"""
    named = ("--meshproof-enforce", "--meshproof-topology=primary-remote-flat")
    result = run(pytester, body, *named)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["n/a ¹ across networks only: *"])
