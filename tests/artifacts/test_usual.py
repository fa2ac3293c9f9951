"""Which Kubernetes is taken where none is named: one that the source of artifacts has."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts import catalog, default_wanted
from meshproof.artifacts.published import Published
from meshproof.artifacts.store import Recipe, Store
from meshproof.artifacts.usual import usual_kubernetes
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.model import RunRequest
from meshproof.run.exact import exact

from .registry import Registry

BUILT = default_wanted().kubernetes
PUBLISHED = max(one for one in catalog().nodes if one.minor == BUILT.minor)


def _asked() -> bool:
    raise AssertionError("a registry was asked")


def _with(root: Path, *nodes: str) -> Store:
    store = Store(root)
    for version in nodes:
        store.obtain(Recipe("node", version, {}), lambda _: {}, Recorder())
    return store


def test_kind_publishes_another_one_than_is_built_here() -> None:
    assert PUBLISHED != BUILT
    assert usual_kubernetes("published", _asked) == PUBLISHED
    assert usual_kubernetes("built", _asked) == usual_kubernetes("checkout", _asked) == BUILT


@pytest.mark.parametrize("answers", [True, False])
def test_an_empty_store_leaves_it_to_the_registry(answers: bool, tmp_path: Path) -> None:
    usual = usual_kubernetes(None, lambda: answers, Store(tmp_path / "store"))
    assert usual == (PUBLISHED if answers else BUILT)


def test_what_the_store_has_is_taken_without_asking(tmp_path: Path) -> None:
    built = _with(tmp_path / "a", f"{BUILT} built")
    assert usual_kubernetes(None, _asked, built) == BUILT
    both = _with(tmp_path / "b", f"{BUILT} built", f"{PUBLISHED} published")
    assert usual_kubernetes(None, _asked, both) == PUBLISHED


def test_a_store_that_is_anothers_is_told_later(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("a file")
    assert usual_kubernetes(None, lambda: False, Store(tmp_path)) == BUILT


def test_a_request_is_made_exact_and_that_is_said() -> None:
    said: list[str] = []
    asked = RunRequest(artifacts="published")
    assert exact(asked, said.append).kubernetes == str(PUBLISHED)
    assert str(PUBLISHED) in "".join(said)
    named = RunRequest(artifacts="published", kubernetes="1.35.8")
    assert exact(named, said.append).kubernetes == "1.35.8"
    assert len(said) == 1


def test_a_node_image_that_is_not_published_is_told_with_those_that_are(tmp_path: Path) -> None:
    published = Published(default_wanted(), Registry(), Recorder(), Store(tmp_path / "store"))
    with pytest.raises(ArtifactError, match="there is no such image") as raised:
        published.bundle()
    assert str(PUBLISHED) in raised.value.remedy
    assert Store(tmp_path / "store").entries() == []
    assert Store(tmp_path / "store").unfinished() == []
