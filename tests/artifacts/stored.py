"""Something in a store, for tests of what goes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meshproof.artifacts.manage import Row
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.events import Recorder

RECIPE = Recipe("thing", "1", {"a": 1})
DIGEST = "0123456789abcdef" * 4


def fill(store: Store, recipe: Recipe = RECIPE, facts: Mapping[str, Any] | None = None) -> Entry:
    def make(folder: Path) -> Mapping[str, Any]:
        (folder / "file").write_text("whole")
        return facts or {}

    return store.obtain(recipe, make, Recorder())


def keep_none(_: Row) -> bool:
    return False
