"""Tables fit the terminal: whatever has no room goes into another table, and nothing is lost."""

from __future__ import annotations

import pytest
from rich.console import Console

from meshproof.report.words import Grid

NAMES = [f"primary-remote-split-horizon-{number}+1.31.1+strict" for number in range(9)]


def shown(grid: Grid, width: int) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(grid)
    return capture.get()


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160, 400])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_lost(width: int) -> None:
    rows = [
        (
            f"A behaviour with a sentence of some length, number {row}.",
            [f"cell-{row}-{number}" for number in range(len(NAMES))],
        )
        for row in range(3)
    ]
    text = shown(Grid("Behaviours", NAMES, rows), width)
    assert max(map(len, text.splitlines())) <= width
    for _, cells in rows:
        assert all(cell in text for cell in cells)


def test_several_tables_are_counted_and_one_is_not() -> None:
    grid = Grid("Behaviours", NAMES, [("Fish swim.", ["held (1)"] * len(NAMES))])
    assert "Behaviours (1 of 2)" in shown(grid, 80)
    assert " of " not in shown(grid, 400)


def test_a_row_is_left_out_of_the_tables_in_which_it_has_nothing() -> None:
    cells = ["held (1)", *[""] * (len(NAMES) - 1)]
    full = ["held (1)"] * len(NAMES)
    text = shown(Grid("Behaviours", NAMES, [("Fish swim.", full), ("Birds fly.", cells)]), 80)
    assert text.count("Fish swim.") == 2
    assert text.count("Birds fly.") == 1


def test_long_words_are_folded_and_not_cut() -> None:
    name = "x" * 63
    text = shown(Grid("Behaviours", [name], [("Fish swim.", ["held (1)"])]), 80)
    assert text.count("x") == 63
