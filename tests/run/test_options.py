"""Options by name: as words of a command line."""

from __future__ import annotations

from pathlib import Path

from meshproof.model import Mtls
from meshproof.run.options import words


def test_one_several_a_switch_and_what_is_not_given() -> None:
    options = {
        "topology_file": (Path("/a b.yaml"),),
        "mtls": [Mtls.STRICT, "disabled"],
        "revision": "blue",
        "full": True,
        "keep": False,
        "only": None,
        "istio": [],
    }
    assert words(options) == [
        "--topology-file=/a b.yaml",
        "--mtls=strict",
        "--mtls=disabled",
        "--revision=blue",
        "--full",
    ]
