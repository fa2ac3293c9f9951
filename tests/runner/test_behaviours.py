"""What a test judges and a sabotage proves: ids, levels and features, and what is refused."""

from __future__ import annotations

import sys

import pytest

from meshproof.errors import ModelError
from meshproof.model import FEATURES, Behaviour, Level, Profile


@pytest.fixture(autouse=True)
def _suites_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own folder ``suites`` is read, not the one that another test imported."""
    for name in [one for one in sys.modules if one.partition(".")[0] == "suites"]:
        monkeypatch.delitem(sys.modules, name)


HEAD = """
import pytest
from meshproof.expect import Outcome, Verdict
from meshproof.runner.behaviours import behaviour, proves

@pytest.fixture
def lab(request):
    return request.param

ON = pytest.mark.bare_lab("east,west", "isolated")
PASS = Verdict(Outcome.PASS, "this", "that")
"""
SABOTAGE = {
    "lake/test_lake.py": """
@ON
@behaviour("lake/holds-water", feature="names")
def test_a(lab, judge): judge(PASS)

@ON
@behaviour("lake/has-fish", feature="names", level="extended")
def test_b(lab, judge): judge(PASS)
""",
    "sabotage/test_lake.py": """
@ON
@proves("lake/holds-water", "lake/has-fish")
def test_a_hole_is_noticed(lab, judge): judge(PASS)

@ON
@proves("lake/has-fish")
def test_a_net_is_noticed(lab, judge): judge(PASS)
""",
}


def lay(pytester: pytest.Pytester, files: dict[str, str]) -> None:
    for name, body in files.items():
        path = pytester.path / "suites" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.joinpath("__init__.py").touch()
        path.write_text(HEAD + body)
    pytester.path.joinpath("suites", "__init__.py").touch()


def collected(pytester: pytest.Pytester, *options: str) -> list[str]:
    bare = ("--meshproof-topology=bare", "--collect-only", "-q")
    listing = pytester.runpytest_inprocess(*bare, *options)
    assert listing.ret == 0
    return [line.partition("[")[0] for line in listing.outlines if "::" in line]


@pytest.mark.parametrize("text", ["lake", "Lake/fish", "lake/", "/fish", "lake/a/b", "lake/a_b"])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ModelError, match="is no id of a behaviour: write the suite, a slash and"):
        Behaviour(text, "Fish swim.", "lake")


def test_an_unknown_feature_is_refused_and_the_nearest_named() -> None:
    with pytest.raises(ModelError, match="of the feature 'nam', which there is not: did you mean"):
        Behaviour("lake/fish", "Fish swim.", "lake", Level.CORE, "nam")
    assert {"multi-network", "federation", "machines", "change"} <= FEATURES.keys()


def test_profiles() -> None:
    assert [Profile.CORE.includes(level) for level in Level] == [True, False]
    assert [Profile.ALL.includes(level) for level in Level] == [True, True]


@pytest.mark.parametrize(
    ("decorator", "said"),
    [
        ("behaviour('lake', feature='names')", "'lake' is no id of a behaviour: write the suite*"),
        ("behaviour('lake/a', feature='name')", "*the feature 'name', which there is not: did*"),
        ("behaviour('lake/a', feature='')", "*decorator of *::test_it says cannot be read: *"),
        (
            "behaviour('lake/a', feature='names', level='cor')",
            "the behaviour lake/a is of the level 'cor', which there is not: did you mean core.",
        ),
        ("pytest.mark.behaviour('lake/a')", "*cannot be read: write @behaviour(*"),
        ("pytest.mark.behaviour", "*cannot be read: write @behaviour(*"),
        ("behaviour('lake/a', 'b', feature='names')", None),
    ],
)
def test_a_decorator_that_says_what_there_is_not(
    pytester: pytest.Pytester, decorator: str, said: str | None
) -> None:
    pytester.makepyfile(test_it=f"{HEAD}\n@ON\n@{decorator}\ndef test_it(lab): pass\n")
    result = pytester.runpytest_inprocess(
        "--meshproof-conformance", "--collect-only", "-p", "no:terminal"
    )
    assert result.ret == 2
    if said is not None:
        assert len(result.outlines) == 1
        result.stdout.fnmatch_lines([f"test_it.py: {said}"])


def test_two_tests_of_one_behaviour_are_refused(pytester: pytest.Pytester) -> None:
    twice = SABOTAGE["lake/test_lake.py"].replace("has-fish", "holds-water")
    lay(pytester, {"lake/test_lake.py": twice})
    result = pytester.runpytest_inprocess("--meshproof-conformance", "-p", "no:terminal")
    assert result.ret == 64
    (said,) = result.errlines
    assert "test_a and " in said and "test_b both judge lake/holds-water, so their verdicts" in said
    assert not (pytester.path / "reports").exists()


def test_tests_of_one_name_in_one_folder_need_ids(pytester: pytest.Pytester) -> None:
    body = "@ON\ndef test_a(lab): pass\n"
    lay(pytester, {"lake/test_one.py": body, "lake/test_two.py": body})
    result = pytester.runpytest_inprocess("--meshproof-conformance", "-p", "no:terminal")
    assert result.ret == 64
    assert result.errlines[0].endswith("give one of them another id by @behaviour.")


def test_a_sabotage_that_proves_nothing_known_is_refused(pytester: pytest.Pytester) -> None:
    wrong = SABOTAGE["sabotage/test_lake.py"].replace(
        '@proves("lake/has-fish"', '@proves("lake/fsh"'
    )
    lay(pytester, {**SABOTAGE, "sabotage/test_lake.py": wrong})
    result = pytester.runpytest_inprocess("--meshproof-conformance", "-p", "no:terminal", "suites")
    assert result.ret == 64
    (said,) = result.errlines
    assert "::test_a_net_is_noticed proves lake/fsh, which no test judges: did you mean" in said
    assert "lake/has-fish" in said and "sabotage/" not in said.partition("did you mean")[2]
    # Of the sabotage alone nobody knows what the tests beside it judge.
    assert collected(pytester, "--meshproof-sabotage", "suites/sabotage") != []


def test_an_id_that_is_none_proves_nothing(pytester: pytest.Pytester) -> None:
    lay(pytester, {"sabotage/test_lake.py": "@ON\n@proves('lake')\ndef test_a(lab): pass\n"})
    result = pytester.runpytest_inprocess(
        "--meshproof-conformance", "--collect-only", "-p", "no:terminal"
    )
    assert result.ret == 2
    assert len(result.outlines) == 1 and "'lake' is no id of a behaviour" in result.outlines[0]


def test_extended_behaviours_are_judged_when_all_are_and_so_is_what_proves_only_them(
    pytester: pytest.Pytester,
) -> None:
    lay(pytester, SABOTAGE)
    lake, sabotage = "suites/lake/test_lake.py", "suites/sabotage/test_lake.py"
    core = [f"{lake}::test_a", f"{sabotage}::test_a_hole_is_noticed"]
    assert collected(pytester, "--meshproof-sabotage") == core
    assert collected(pytester) == core[:1]
    assert sorted(collected(pytester, "--meshproof-sabotage", "--meshproof-profile=all")) == sorted(
        [*core, f"{lake}::test_b", f"{sabotage}::test_a_net_is_noticed"]
    )


def test_one_test_alone_is_run_whatever_its_level(pytester: pytest.Pytester) -> None:
    lay(pytester, SABOTAGE)
    only = "--meshproof-only=suites/lake/test_lake.py::test_b[disjoint-cidrs+isolated]"
    assert collected(pytester, only) == ["suites/lake/test_lake.py::test_b"]


def test_what_is_not_asked_for_does_not_apply_either(pytester: pytest.Pytester) -> None:
    body = """
@pytest.mark.networks(2)
@behaviour("lake/across", feature="names", level="extended")
def test_a(sample): pass
"""
    lay(pytester, {"lake/test_lake.py": body})
    one = ("--meshproof-conformance", "--meshproof-topology", "primary-remote-flat")
    result = pytester.runpytest_inprocess(*one)
    result.stdout.no_fnmatch_line("*n/a*")
    pytester.runpytest_inprocess(*one, "--meshproof-profile=all").stdout.fnmatch_lines(
        ["*n/a ¹ across networks*"]
    )
