"""Makes a request exact before a run starts: "latest" and "1.30" become versions, a list with
commas several, the tag of a private build a version, and no Kubernetes the one that its source has.
From then on nothing is looked up again:
workers, record, and the command that repeats a run name the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from meshproof.artifacts import catalog, default_wanted
from meshproof.artifacts.releases import Releases, is_open
from meshproof.artifacts.usual import usual_kubernetes
from meshproof.errors import ModelError, UsageError
from meshproof.model import RunRequest, Version
from meshproof.run.own_build import by_cluster


def exact(request: RunRequest, say: Callable[[str], object]) -> RunRequest:
    """The request with exact versions; ``say`` is told what each word that was open came to.

    Raises UsageError for what no version can be made of, ArtifactError where the list of releases
    cannot be had.
    """
    releases = Releases(_source(request))
    words = [word for text in request.istio for word in _apart(text)]
    istio = tuple(dict.fromkeys(_exact(word, releases, say) for word in words))
    to = request.upgrade_to
    return replace(
        request,
        kubernetes=_usual(request, releases, say)
        if request.kubernetes is None
        else request.kubernetes,
        istio=istio or _of_tags(request.tag),
        upgrade_to=None if to is None else _exact(to, releases, say),
    )


def _usual(request: RunRequest, releases: Releases, say: Callable[[str], object]) -> str | None:
    """The Kubernetes of the artifacts' source where that has not the one of the catalog."""
    usual = usual_kubernetes(_source(request), lambda: releases.are_published)
    if usual == default_wanted().kubernetes:
        return None
    kind = catalog().companion("kind")
    say(f"Kubernetes is {usual}, of which kind {kind} publishes a node image.")
    return str(usual)


def _source(request: RunRequest) -> str | None:
    if request.checkout is not None:
        return "checkout"
    own = (request.hub, request.tag, request.istioctl)
    named = request.image_archive or any(one is not None for one in own)
    return "published" if named else request.artifacts


def _apart(text: str) -> list[str]:
    """Several versions with commas between them; a list of clusters is one word."""
    parts = [part.strip() for part in text.split(",")]
    return [text] if "=" in text or not all(parts) else parts


def _exact(word: str, releases: Releases, say: Callable[[str], object]) -> str:
    if "=" in word:
        parts = [part.partition("=") for part in word.split(",")]
        return ",".join(
            f"{name}{equals}{_exact(said, releases, say) if equals else said}"
            for name, equals, said in parts
        )
    if not is_open(word.strip()):
        return word
    version = str(releases.newest(word.strip()))
    say(f"Istio {word.strip()} is {version}, by {releases.whose}.")
    return version


def _of_tags(text: str | None) -> tuple[str, ...]:
    """What tags say that are versions; of clusters that have none nothing is said."""
    said = [
        f"{name}={_of_tag(tag, f'{name}=VERSION')}" if name else _of_tag(tag, "VERSION")
        for name, tag in by_cluster("--tag", text).items()
    ]
    return (",".join(said),) if said else ()


def _of_tag(tag: str, option: str) -> str:
    try:
        return str(Version.parse(tag))
    except ModelError:
        raise UsageError(
            f"the tag '{tag}' is no version, and nothing else says which Istio it is",
            f"add '--istio {option}', as the build says of itself, such as 1.32.0-mine",
        ) from None
