"""A request: its options are its fields, and it is spelled as words of a command line."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from meshproof.errors import ModelError
from meshproof.model import RunRequest
from meshproof.model.request import OPTIONS, PYTESTS, VERIFYS, once_more, words

ASKED = RunRequest(
    topology=("bare", "primary-remote-flat"),
    topology_file=(Path("/a b.yaml"),),
    mtls=("strict", "disabled"),
    revision="blue",
    profile="all",
    sabotage=True,
    mutants=True,
    suites=("suites/lake",),
    workers="2",
    reports=Path("/elsewhere"),
)


def test_an_option_is_what_its_field_says() -> None:
    assert list(OPTIONS) == [one.name for one in fields(RunRequest)]
    own = OPTIONS["topology_file"]
    assert (own.name, own.kind, own.several, own.default) == ("topology-file", Path, True, ())
    assert (OPTIONS["keep"].kind, OPTIONS["checkout"].kind, OPTIONS["only"].kind) == (
        bool,
        Path,
        str,
    )
    assert own.of(VERIFYS) == "--topology-file" and own.of(PYTESTS) == "--meshproof-topology-file"
    assert "strict, permissive, disabled" in OPTIONS["mtls"].help


def test_as_words_of_verify_and_of_pytest() -> None:
    assert words(ASKED, VERIFYS) == [
        "--topology-file=/a b.yaml",
        "--mtls=strict",
        "--mtls=disabled",
        "--revision=blue",
        "--profile=all",
        "--sabotage",
        "--mutants",
        "--workers=2",
        "--reports=/elsewhere",
        "bare",
        "primary-remote-flat",
    ]
    assert words(ASKED, PYTESTS)[:4] == [
        "--meshproof-topology=bare",
        "--meshproof-topology=primary-remote-flat",
        "--meshproof-topology-file=/a b.yaml",
        "--meshproof-mtls=strict",
    ]
    assert not any("workers" in one or "suites" in one for one in words(ASKED, PYTESTS))
    assert words(RunRequest(), VERIFYS) == []


def test_one_test_again_needs_all_that_was_asked_for_but_where_to_look_and_how_many() -> None:
    again = once_more(ASKED, "a test", "0a1b2c3d")
    assert again == RunRequest(
        topology_file=ASKED.topology_file,
        mtls=ASKED.mtls,
        revision="blue",
        profile="all",
        suites=ASKED.suites,
        only="a test",
        keep=True,
        reuse="0a1b2c3d",
    )
    assert once_more(replace(ASKED, reuse="0a1b2c3d"), "a test", None).reuse is None
    assert once_more(ASKED, "a test", "0a1b2c3d", repair=True) == replace(again, repair=True)
    assert once_more(replace(ASKED, repair=True), "a test", "0a1b2c3d").repair
    assert not once_more(replace(ASKED, repair=True), "a test", None).repair


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"mtls": ("strickt",)}, "there is no mTLS mode 'strickt': did you mean strict."),
        ({"mtls": ("strict,disabled",)}, "give each name by itself: strict, permissive, disabled."),
        ({"variant": ("blue",)}, "there is no variant 'blue': choose one of mesh-networks, "),
        ({"profile": "al"}, "there is no profile 'al': did you mean all."),
        ({"profile": ""}, "there is no profile '': choose one of core, all."),
    ],
)
def test_a_word_that_an_option_does_not_take(said: dict[str, str], sentence: str) -> None:
    with pytest.raises(ModelError) as raised:
        RunRequest(**said)  # type: ignore[arg-type]
    assert sentence in str(raised.value)
