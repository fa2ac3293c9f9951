"""The page of the docs about mutants."""

from __future__ import annotations

from pathlib import Path

from meshproof.mutants.catalogue import catalogue
from meshproof.mutants.page import page
from meshproof.mutants.results import Campaign, Held, Notice, Outcome, Result, read
from meshproof.mutants.run import RESULTS
from meshproof.resources import resource
from tests.mutants.made import mutant

QUIET = mutant("quiet", explained="Nobody listens.", missing=True)
LOUD = mutant("loud", plain="red")


def of(*results: Result) -> str:
    return page([QUIET, LOUD], Campaign(meshproof="0.1.0", istio="1.31.1", results=results))


def test_without_results_it_tells_of_the_catalogue() -> None:
    text = page([QUIET, LOUD], None)
    assert "2 mutants, 1 of which are meant to leave plain distribution green; 1 behaviours" in text
    assert "| `quiet` Nothing is printed. | flat | `lake/prints` (missing) | green expected |" in (
        text
    )
    assert "- `quiet`: Nobody listens." in text


def test_with_results_it_says_what_became_of_each() -> None:
    words = "no | line\nat all"
    text = of(
        Result(
            id="loud",
            outcome=Outcome.NOTICED,
            by=(Notice(behaviour="lake/prints", words=words),),
            plain="FAIL",
        ),
        Result(id="quiet", outcome=Outcome.UNNOTICED, plain="PASS", healed=False),
    )
    assert "2 of 2 were in force; plain distribution stayed green with 1 of them" in text
    assert "| red | noticed rightly: “no \\| line at all” |" in text
    assert "| green | unnoticed; did not heal |" in text
    assert "| unnoticed | 1 |" in text


def test_another_that_noticed_is_named_and_the_explanation_stays() -> None:
    others = tuple(Notice(behaviour=f"lake/b{n}", words="no") for n in range(5))
    text = of(Result(id="quiet", outcome=Outcome.ELSEWHERE, by=others))
    assert "noticed by another: `lake/b0`, `lake/b1`, `lake/b2` and 2 more" in text
    assert "- `quiet`: Nobody listens." in text


def test_what_was_noticed_rightly_needs_no_explanation() -> None:
    assert "Nobody listens" not in of(Result(id="quiet", outcome=Outcome.NOTICED))


def test_the_control_is_told_with_what_did_not_hold() -> None:
    wrong = Notice(behaviour="lake/other", words="lake/other was FAIL with no mutant on: odd")
    held = Held(topology="primary-remote-flat", held=("lake/prints",), not_held=(wrong,))
    text = page([QUIET], Campaign(meshproof="0.1.0", istio="1.31.1", controls=(held,)))
    assert "On primary-remote-flat, with the program and no mutant on, 1 behaviours held" in text
    assert "; not so `lake/other` (lake/other was FAIL with no mutant on: odd)." in text


def test_the_page_in_the_docs_is_of_this_catalogue_and_of_the_results_beside_it() -> None:
    docs = Path(resource("suites").parent, "docs")
    results = docs / RESULTS
    campaign = read(results) if results.exists() else None
    assert docs.joinpath("mutants.md").read_text(encoding="utf-8") == page(catalogue(), campaign)
