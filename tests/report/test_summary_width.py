"""The table at the end of a run in 80 columns, however many deployments were judged."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from meshproof.files import topology_names
from meshproof.report import Judged, LeftOut, summary
from meshproof.report.outcomes import SIGNS

WIDTH = 80
OUTCOMES = ("PASS", "FAIL", "INCONCLUSIVE", "KNOWN", "skipped")
SENTENCES = (
    "The remote version is reached through its network's gateway and port 15443.",
    "Authorization by principal tells ServiceAccounts of two clusters apart.",
    "A call with x-forwarded-client-certificate-of-nobody gets the caller's own.",
    "Short.",
)
LONG = (
    "primary-remote-split-horizon+1.30.2-to-1.31.1-by-canary+strict",
    "multi-primary-flat+1.31.1+permissive+unrelated-roots",
    "multi-primary-split-horizon+east-1.30.2-west-1.31.1+strict+trust-domains-apart",
)
WHY = "expected 60 of 60; observed 3, outbound|5000||helloworld.sample.svc.cluster.local"
DEPLOYMENTS = (*LONG, *(f"{name}+1.31.1+strict" for name in topology_names()))
MANY = (1, 3, 7, 13)


def ran(deployments: int) -> tuple[list[Judged], list[LeftOut]]:
    """Outcomes of every kind, and what does not apply."""
    names = DEPLOYMENTS[:deployments]
    assert len(names) == deployments
    outcomes = [
        Judged(id_of(name, number), f"lake/{row}", sentence, name, outcome, WHY, 1.0)
        for row, sentence in enumerate(SENTENCES)
        for column, name in enumerate(names)
        for number in range(1 + 11 * (column % 2))
        for outcome in (OUTCOMES[(row + column) % len(OUTCOMES)],)
    ]
    without = [LeftOut("t", "lake/n", "Ice floats.", name, "needs water", True) for name in names]
    return outcomes, without


def id_of(deployment: str, number: int) -> str:
    return f"suites/routing/test_routing.py::test_the_remote_version[{deployment}-{number}]"


def printed(deployments: int, width: int = WIDTH) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(summary(*ran(deployments)))
    return capture.get()


@pytest.mark.parametrize("deployments", MANY)
def test_no_line_is_longer(deployments: int) -> None:
    assert max(map(cell_len, printed(deployments).splitlines())) <= WIDTH


@pytest.mark.parametrize("deployments", MANY)
def test_no_word_is_cut_that_fits_and_none_that_does_not_but_at_a_sign(deployments: int) -> None:
    text = printed(deployments)
    parts = set(re.split(r"[\s│┃]+", text))
    for word in " ".join(SENTENCES).split():
        assert word in parts or len(word) > 28, word
    below = text[text.rindex("┘") :]
    for name in DEPLOYMENTS[:deployments]:
        for piece in re.findall(r"[^-+]+[-+]?", name):
            assert re.search(rf"(^|[-+\[\s]){re.escape(piece)}", below, re.MULTILINE), piece


@pytest.mark.parametrize("deployments", MANY)
def test_every_behaviour_has_its_outcome_on_every_deployment(deployments: int) -> None:
    tables = re.split(r"^Behaviours.*\n", printed(deployments), flags=re.MULTILINE)[1:]
    assert len(tables) <= 2
    for row in ("Short.", "Ice floats."):
        cells = [
            cell.strip()
            for table in tables
            for line in table.splitlines()
            if line.startswith(f"│ {row} ")
            for cell in line.strip("│").split("│")[1:]
        ]
        assert len(cells) == deployments and all(cells), (row, cells)


def test_many_deployments_have_numbers_and_a_sign_for_each_outcome() -> None:
    text = printed(13)
    assert "✓ held, ✗ FAILED, ? could not tell, ! KNOWN, - skipped\n" in text
    for number, name in enumerate(DEPLOYMENTS[:13], 1):
        assert f"{number:>2} {name}\n" in text or len(name) > WIDTH - 3
    first = next(line for line in text.splitlines() if line.startswith("│ Short."))
    expected = [SIGNS[OUTCOMES[(3 + column) % len(OUTCOMES)]] for column in range(11)]
    assert re.sub(r"[│\s]+", " ", first).split()[1:] == expected


def test_with_room_enough_the_same_is_told_in_words() -> None:
    text = printed(13, width=320)
    assert text.count("could not tell (12)") and "✓" not in text
