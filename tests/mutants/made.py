"""Mutants and results as tests make them."""

from __future__ import annotations

from typing import Any

from meshproof.mutants.catalogue import Mutant
from meshproof.report import Judged

GO = """package lake

import "fmt"

func Deep(n int) int {
	if n > 3 {
		return n
	}
	return 0
}

func Shallow(n int) int {
	fmt.Println(n)
	return 0
}
"""


def edit(put: str, find: str = "fmt.Println(n)", **others: Any) -> dict[str, Any]:
    return {"file": "lake/lake.go", "find": find, "put": put, **others}


def mutant(id: str = "no-print", **changed: Any) -> Mutant:
    data: dict[str, Any] = {
        "id": id,
        "what": "Nothing is printed.",
        "edits": [edit(f'if mutant.On("{id}") {{\n\treturn 1\n}}\n@found')],
        "notices": "lake/prints",
        "plain": "green",
        "topology": "flat",
        "shows": {"at": "sleep", "look": "routes"},
        "family": "lakes",
    }
    return Mutant.model_validate({**data, **changed})


def outcome_of(behaviour: str, outcome: str = "PASS", why: str = "") -> Judged:
    return Judged(f"t::{behaviour}", behaviour, "A sentence.", "flat", outcome, why, 1.0)
