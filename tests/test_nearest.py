"""What somebody may have meant."""

from __future__ import annotations

import pytest

from meshproof.nearest import choose

KNOWN = ("primary-remote-flat", "multi-primary-flat", "bare")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("primary-remote-flta", "did you mean primary-remote-flat"),
        ("PRIMARY-REMOTE-FLAT", "did you mean primary-remote-flat"),
        ("bear", "did you mean bare"),
        ("nowhere", "choose one of primary-remote-flat, multi-primary-flat, bare"),
        ("", "choose one of primary-remote-flat, multi-primary-flat, bare"),
    ],
)
def test_the_nearest_or_all(name: str, said: str) -> None:
    assert choose(name, KNOWN).startswith(said)


def test_where_there_is_nothing() -> None:
    assert choose("any", ()) == "there is none"
