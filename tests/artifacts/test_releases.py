"""Which Istio "latest" and "1.30" are, and which Kubernetes an Istio supports."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from meshproof.artifacts.releases import LIST, published_versions
from meshproof.artifacts.support import check_supported
from meshproof.errors import ArtifactError, UsageError
from meshproof.model import RunRequest, Version
from meshproof.run.exact import exact

from .outside import Answer, Outside

PLACE = LIST.removeprefix("https://")
SECOND = "api.github.com/repositories/1/releases?page=2"
REGISTRY = "registry-1.docker.io/v2/"
FIRST_PAGE: list[dict[str, object]] = [
    {"tag_name": "1.30.6"},
    {"tag_name": "1.32.0-rc.1", "prerelease": True},
    {"tag_name": "1.32.0-beta.0"},
    {"tag_name": "1.31.9", "draft": True},
    {"tag_name": "1.31.1"},
    {"tag_name": "1.31.10"},
]
SECOND_PAGE: list[dict[str, object]] = [
    {"tag_name": "1.31.9"},
    {"tag_name": "1.30.5"},
    {"tag_name": "1.29.4"},
    {"tag_name": "release-0.2"},
    {},
]


@pytest.fixture
def listed(there: Outside) -> Outside:
    link = {"Link": f'<https://{SECOND}>; rel="next", <https://{SECOND}>; rel="last"'}
    there.answers[PLACE] = Answer(json.dumps(FIRST_PAGE).encode(), headers=link)
    there.answers[SECOND] = Answer(json.dumps(SECOND_PAGE).encode())
    there.answers[REGISTRY] = Answer(status=401)
    return there


def resolved(*istio: str, artifacts: str | None = "published") -> tuple[Sequence[str], list[str]]:
    said: list[str] = []
    request = exact(RunRequest(istio=istio, artifacts=artifacts, kubernetes="1.36.3"), said.append)
    return request.istio, said


@pytest.mark.parametrize(
    ("word", "version"),
    [("latest", "1.31.10"), ("1.31", "1.31.10"), ("1.30", "1.30.6"), ("v1.29", "1.29.4")],
)
def test_the_newest_release_is_found_and_said(word: str, version: str, listed: Outside) -> None:
    assert resolved(word) == (
        (version,),
        [f"Istio {word} is {version}, by the list of releases."],
    )
    assert listed.asked == [PLACE, SECOND]


def test_several_versions_and_those_of_clusters_are_resolved(listed: Outside) -> None:
    istio, said = resolved("1.31.1, 1.30.5", "latest", "east=1.30,west=1.31.1", "1.31.1")
    assert istio == ("1.31.1", "1.30.5", "1.31.10", "east=1.30.6,west=1.31.1")
    assert len(said) == 2
    assert listed.asked == [PLACE, SECOND]


def test_an_upgrade_s_end_is_resolved(listed: Outside) -> None:
    asked = RunRequest(istio=("1.30",), upgrade_to="latest", artifacts="published")
    request = exact(asked, lambda _: None)
    assert (request.istio, request.upgrade_to) == (("1.30.6",), "1.31.10")


def test_what_is_exact_asks_nobody(there: Outside) -> None:
    assert resolved("1.31.1", "1.30.5", "nonsense") == (("1.31.1", "1.30.5", "nonsense"), [])
    assert there.through == []


def test_without_a_source_the_list_is_asked_where_a_registry_answers(listed: Outside) -> None:
    assert resolved("latest", artifacts=None)[0] == ("1.31.10",)
    del listed.answers[REGISTRY]
    istio, said = resolved("latest", artifacts=None)
    assert (istio, said) == (("1.31.1",), ["Istio latest is 1.31.1, by what can be built here."])


def test_what_is_built_is_of_the_catalog(there: Outside) -> None:
    assert resolved("latest", "1.31", artifacts="built")[0] == ("1.31.1",)
    with pytest.raises(UsageError, match=r"here: choose one of 1\.31"):
        resolved("1.30", artifacts="built")
    assert there.through == []


def test_a_release_that_there_is_not_is_refused_with_those_there_are(listed: Outside) -> None:
    with pytest.raises(UsageError, match=r"Istio 1\.44 .*choose one of 1\.31, 1\.30, 1\.29"):
        resolved("1.44")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=403, headers={"x-ratelimit-remaining": "0"}), "no more requests"),
        (Answer(b"<html>log in</html>"), "holds no list"),
        (Answer(b'{"message": "hello"}'), "holds no list of releases"),
        (Answer(b"[" + b" " * 999, cut=500), "broke off midway"),
    ],
)
def test_a_list_that_cannot_be_had_is_a_sentence(
    answer: Answer, words: str, there: Outside
) -> None:
    there.answers[PLACE] = answer
    with pytest.raises(ArtifactError, match=words):
        resolved("latest")


def test_a_list_without_end_is_not_followed_for_ever(there: Outside) -> None:
    link = {"Link": f'<{LIST}>; rel="next"'}
    there.answers[PLACE] = Answer(json.dumps(SECOND_PAGE).encode(), headers=link)
    assert Version.parse("1.29.4") in list(published_versions())
    assert len(there.asked) == 10


def test_a_tag_that_is_a_version_says_which_istio_it_is() -> None:
    request = exact(RunRequest(tag="1.32.0-rc.1"), lambda _: None)
    assert request.istio == ("1.32.0-rc.1",)
    both = exact(RunRequest(tag="mine", istio=("1.32.0-mine",)), lambda _: None)
    assert both.istio == ("1.32.0-mine",)


@pytest.mark.parametrize(
    ("istio", "kubernetes", "supported"),
    [
        ("1.31.1", "1.32.0", True),
        ("1.31.1", "1.37.4", True),
        ("1.31.1", "1.31.9", False),
        ("1.31.0-rc.1", "1.38.0", False),
        ("1.29.4", "1.36.3", False),
        ("1.99.0", "1.36.3", True),
    ],
)
def test_which_kubernetes_an_istio_supports(istio: str, kubernetes: str, supported: bool) -> None:
    istios = [Version.parse("1.99.1"), Version.parse(istio)]
    if supported:
        check_supported(istios, Version.parse(kubernetes))
        return
    with pytest.raises(UsageError, match=f"Istio {istio} supports Kubernetes .* not {kubernetes}"):
        check_supported(istios, Version.parse(kubernetes))
