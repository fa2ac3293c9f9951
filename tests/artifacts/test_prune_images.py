"""Of images and containers only what a store's entries are made of goes, and none that is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from meshproof.artifacts.bake import BUILD_LABEL, remove_abandoned
from meshproof.artifacts.images import OURS
from meshproof.artifacts.manage import listing, prunable, prune, remove_rows
from meshproof.artifacts.store import Store
from meshproof.engine import Container
from tests.artifacts.stored import DIGEST, RECIPE, fill, keep_none
from tests.lab.fakes import FakeEngine

REFERENCE = f"{OURS}/node:1"


@pytest.mark.parametrize(
    ("facts", "images", "left"),
    [
        ({"reference": REFERENCE, "image_id": "a"}, {REFERENCE: "a"}, {}),
        ({"reference": REFERENCE, "image_id": "a"}, {REFERENCE: "b"}, {REFERENCE: "b"}),
        ({"reference": REFERENCE}, {REFERENCE: "a"}, {REFERENCE: "a"}),
        ({"reference": "db:1", "image_id": "a"}, {"db:1": "a"}, {"db:1": "a"}),
        (
            {"reference": f"{OURS}x/node:1", "image_id": "a"},
            {f"{OURS}x/node:1": "a"},
            {f"{OURS}x/node:1": "a"},
        ),
        ({"reference": "--all", "image_id": "a"}, {"--all": "a"}, {"--all": "a"}),
        ({"reference": REFERENCE, "image_id": "a"}, {}, {}),
    ],
)
def test_of_images_only_the_one_that_was_made_goes(
    store: Store, facts: Mapping[str, Any], images: dict[str, str], left: dict[str, str]
) -> None:
    fill(store, facts=facts)
    engine = FakeEngine()
    engine.images = dict(images)
    assert [row.name for row in prune(store, engine, keep_none)] == ["thing"]
    assert engine.images == left
    assert not [words for words in engine.fake.ran if "--all" in words]


def test_an_image_that_a_container_is_made_of_stays_with_its_entry(store: Store) -> None:
    fill(store, facts={"reference": REFERENCE, "image_id": "a"})
    engine = FakeEngine()
    engine.images, engine.in_use = {REFERENCE: "a"}, {REFERENCE}
    row = listing(store, engine)[0]
    assert remove_rows(store, engine, [row]) == []
    assert store.find(RECIPE) is not None
    asks = ("podman", "ps", "-a", "--filter", f"ancestor={REFERENCE}")
    engine.fake.answers = {asks: "a warning\n"}
    assert prunable(store, engine, keep_none) == [row]
    engine.fake.answers = {asks: "a warning\nmeshproof=0123\n"}
    assert prunable(store, engine, keep_none) == []


def test_containers_of_other_builds_and_stores_stay(store: Store) -> None:
    fill(store)
    work = store.root / "tmp" / DIGEST
    work.mkdir()
    name, label = f"meshproof-bake-{DIGEST[:12]}", {BUILD_LABEL: DIGEST}
    mine = {**label, "io.meshproof.work": str(work)}
    theirs = {**label, "io.meshproof.work": f"/other/store/tmp/{DIGEST}"}
    for labels, goes in ((mine, True), (label, True), ({}, True), (theirs, False)):
        work.mkdir(exist_ok=True)
        engine = FakeEngine()
        engine.there = [
            Container(name, True, labels),
            Container("meshproof-bake-ffffffffffff", True, {BUILD_LABEL: "f" * 64}),
            Container("db", True, label),
            Container("mine", True, {BUILD_LABEL: "../../x"}),
        ]
        engine.images = {f"{OURS}/bake:{DIGEST[:12]}": "a", "db:1": "b"}
        removed = remove_abandoned(store, engine)
        assert engine.removed() == removed
        assert (name not in engine.names()) is goes
        rest = {"db", "meshproof-bake-ffffffffffff", "mine", "db:1"}
        assert set(engine.names()) - {name} == rest
        assert not work.exists()
    assert sorted(path.name for path in (store.root / "locks").iterdir()) == sorted(
        [f"{DIGEST}.lock", f"{RECIPE.digest}.lock"]
    )
