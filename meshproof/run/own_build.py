"""What a request says of builds of Istio that are no releases: release candidates, private builds,
images that somebody has pushed. Of one for all clusters, or of one for each that is named."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from meshproof.artifacts import OwnBuild, OwnBuilds, default_wanted, istio_version
from meshproof.errors import UsageError
from meshproof.model import Releases, RunRequest, Version

# What registries allow (https://github.com/distribution/reference/blob/main/regexp.go). The
# registry is named as well: of a short name the engine would have to guess where it is.
_REGISTRY = r"(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[0-9]+)(:[0-9]+)?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_HUB = re.compile(rf"{_REGISTRY}(/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_EVERYWHERE = ""


def by_cluster(option: str, text: str | None) -> dict[str, str]:
    """What an option says of each cluster, as in "east=…,west=…"; under "" what it says of all.

    Raises UsageError for what says neither.
    """
    if text is None:
        return {}
    if "=" not in text:
        return {_EVERYWHERE: text}
    found: dict[str, str] = {}
    for word in text.split(","):
        name, equals, said = (part.strip() for part in word.partition("="))
        if not (name and equals and said):
            raise UsageError(
                f"{option} '{text}' does not say which cluster has what",
                "write it as in east=…,west=…, or once for all clusters",
            )
        if name in found:
            raise UsageError(f"{option} '{text}' names cluster {name} twice", "leave one out")
        found[name] = said
    return found


def own_builds(request: RunRequest, clusters: Collection[str]) -> OwnBuilds:
    """What the request asks for. ``clusters``: the names of all that there will be.

    Raises UsageError for what cannot be, as two builds of one version: what is in the nodes, and
    every verdict, is known by the version.
    """
    hubs = {name: hub.rstrip("/") for name, hub in by_cluster("--hub", request.hub).items()}
    tags = by_cluster("--tag", request.tag)
    elsewhere = OwnBuild(hubs.get(_EVERYWHERE), tags.get(_EVERYWHERE), request.istioctl)
    named = dict.fromkeys([*hubs, *tags])
    named.pop(_EVERYWHERE, None)
    if not named:
        return OwnBuilds(elsewhere)
    check_clusters(named, clusters)
    versions = _versions(request, clusters)
    found: dict[Version, OwnBuild] = {}
    first: dict[Version, str] = {}
    for name in clusters:
        build = replace(
            elsewhere,
            hub=hubs.get(name, elsewhere.hub),
            tag=tags.get(name, elsewhere.tag),
            istioctl=None,
        )
        version = versions[name]
        if found.setdefault(version, build) != build:
            raise UsageError(
                f"{first[version]} and {name} are both of Istio {version}, and their images differ",
                f"say by --istio which version each build calls itself, as in {name}=1.32.0-mine",
            )
        first.setdefault(version, name)
    return _with_istioctl(request, found)


def _with_istioctl(request: RunRequest, found: Mapping[Version, OwnBuild]) -> OwnBuilds:
    """The builds by version, and the program for the one that it belongs to."""
    own = [version for version, build in found.items() if build.is_named]
    if request.istioctl is not None and len(own) > 1:
        raise UsageError(
            f"--istioctl is of one Istio, and {' and '.join(map(str, own))} have images of their "
            "own",
            "leave it out, and those of the releases are taken",
        )
    builds = {
        version: replace(build, istioctl=request.istioctl if version in own else None)
        for version, build in found.items()
    }
    return OwnBuilds(by_version=tuple(builds.items()))


def _versions(request: RunRequest, clusters: Iterable[str]) -> dict[str, Version]:
    """Which Istio runs in each cluster."""
    if len(request.istio) > 1 or request.upgrade_to is not None:
        raise UsageError(
            "hub and tag by cluster are of one mesh, and several versions of it are asked for",
            "ask for one, as in --istio east=1.31.1,west=1.32.0-mine",
        )
    newest = default_wanted().istio[-1]
    asked = [Releases.parse(text, newest, istio_version) for text in request.istio]
    one = asked[0] if asked else Releases(newest)
    named = dict(one.by_cluster)
    return {name: named.get(name, one.elsewhere) for name in clusters}


def check_clusters(named: Iterable[str], known: Collection[str]) -> None:
    """Raise UsageError for a cluster that none of those that there will be is."""
    for name in named:
        if name not in known:
            raise UsageError(
                f"no topology chosen has a cluster '{name}' to run Istio in",
                f"name {' or '.join(known)}" if known else "choose a topology",
            )


def check_hub(hub: str) -> None:
    """Raise UsageError for what is no registry with a path."""
    if not _HUB.fullmatch(hub.rstrip("/")):
        raise UsageError(
            f"'{hub}' is not where images are",
            "name the registry and the path, without image and tag, as in docker.io/istio",
        )


def check_own_build(
    request: RunRequest, versions: Sequence[str], clusters: Collection[str]
) -> None:
    """Raise UsageError for a build that cannot be, or beside what contradicts it. ``versions``: all
    those of Istio that the request comes to; ``clusters``: the names of all clusters."""
    for hub in by_cluster("--hub", request.hub).values():
        check_hub(hub)
    for tag in by_cluster("--tag", request.tag).values():
        if not _TAG.fullmatch(tag):
            raise UsageError(f"'{tag}' is no tag", "use letters, digits, dots and hyphens")
    program = request.istioctl
    if program is not None and not (program.is_file() and os.access(program, os.X_OK)):
        raise UsageError(f"{program} is no program", "let --istioctl name an istioctl that can run")
    said = " and ".join(
        option
        for option, given in (
            ("--hub", request.hub),
            ("--tag", request.tag),
            ("--istioctl", request.istioctl),
            ("--image-archive", request.image_archive or None),
        )
        if given is not None
    )
    if said and (request.checkout is not None or request.artifacts not in (None, "published")):
        raise UsageError(
            f"{said}: that is of images to be pulled, and Istio is to be built here",
            "leave it out, or --artifacts and --checkout",
        )
    everywhere = own_builds(request, clusters).elsewhere
    if (everywhere.tag or everywhere.istioctl) and len(set(versions)) > 1:
        raise UsageError(
            f"{said}: that is of one Istio, and several are asked for",
            "ask for one version, or say by cluster which build it has, as in --tag west=…",
        )
