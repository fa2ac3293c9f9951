"""The workloads' image in a registry of the user's: named by what it is, and nothing else left."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts.images import USED_HERE, WORKLOAD_PROGRAMS
from meshproof.artifacts.store import Store
from meshproof.artifacts.workloads import push_workload, workload_recipe
from meshproof.errors import ArtifactError
from meshproof.events import Recorder

from .registry import Registry

ME = "registry.example/me"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    def programs(folder: Path) -> None:
        for name in {*USED_HERE, *WORKLOAD_PROGRAMS}:
            (folder / name).write_text(name)

    found = Store(tmp_path / "store")
    found.obtain(workload_recipe(), programs, Recorder())
    return found


def test_the_image_is_pushed_by_a_name_of_its_own_and_told_by_digest(store: Store) -> None:
    engine = Registry()
    pushed = push_workload(f"{ME}/", store, engine, Recorder())
    (reference,) = engine.pushed
    assert reference == f"{ME}/meshproof-workload:{workload_recipe().digest[:16]}"
    assert pushed.startswith(f"{ME}/meshproof-workload@sha256:pushed-")
    assert engine.images == {}


def test_an_image_that_was_there_stays(store: Store) -> None:
    engine = Registry()
    reference = f"{ME}/meshproof-workload:{workload_recipe().digest[:16]}"
    engine.images = {reference: "cafe"}
    push_workload(ME, store, engine, Recorder())
    assert set(engine.images) == {reference}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("unauthorized: authentication required", ("does not let us", "podman login")),
        ("denied: requested access to the resource is denied", ("does not let us",)),
        ("x509: certificate signed by unknown authority", ("certs.d",)),
        ("http: server gave HTTP response to HTTPS client", ("HTTP without TLS", "TLS")),
        ("dial tcp: lookup registry.example: no such host", ("cannot be reached",)),
        ("something of which nobody has heard", ("nobody has heard",)),
    ],
)
def test_a_push_that_fails_is_a_sentence_and_leaves_nothing(
    said: str, words: tuple[str, ...], store: Store
) -> None:
    engine = Registry()
    load = engine.load

    def loads(archive: Path) -> None:
        engine.says = ""
        load(archive)
        engine.says = f"Error: {said}"

    engine.load = loads  # type: ignore[method-assign]
    with pytest.raises(ArtifactError, match="cannot be pushed") as error:
        push_workload(ME, store, engine, Recorder())
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.remedy
    assert engine.images == {}
