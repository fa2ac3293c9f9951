"""What a request says of a build of Istio that is no release: release candidates, private builds,
images that somebody has pushed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from meshproof.artifacts import OwnBuild
from meshproof.errors import UsageError
from meshproof.model import RunRequest

# What registries allow (https://github.com/distribution/reference/blob/main/regexp.go). The
# registry is named as well: of a short name the engine would have to guess where it is.
_REGISTRY = r"(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[0-9]+)(:[0-9]+)?"
_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_HUB = re.compile(rf"{_REGISTRY}(/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def own_build(request: RunRequest) -> OwnBuild:
    """What the request asks for."""
    hub = request.hub.rstrip("/") if request.hub is not None else None
    return OwnBuild(hub, request.tag, request.istioctl)


def check_own_build(request: RunRequest, versions: Sequence[str]) -> None:
    """Raise UsageError for a build that cannot be, or beside what contradicts it. ``versions``: all
    those of Istio that the request comes to."""
    own = own_build(request)
    if not own.is_named:
        return
    if own.hub is not None and not _HUB.fullmatch(own.hub):
        raise UsageError(
            f"'{own.hub}' is not where images are",
            "name the registry and the path, without image and tag, as in docker.io/istio",
        )
    if own.tag is not None and not _TAG.fullmatch(own.tag):
        raise UsageError(f"'{own.tag}' is no tag", "use letters, digits, dots and hyphens")
    if own.istioctl is not None and not (
        own.istioctl.is_file() and os.access(own.istioctl, os.X_OK)
    ):
        raise UsageError(
            f"{own.istioctl} is no program", "let --istioctl name an istioctl that can be run"
        )
    said = " and ".join(
        option
        for option, given in (
            ("--hub", own.hub),
            ("--tag", own.tag),
            ("--istioctl", own.istioctl),
        )
        if given is not None
    )
    if request.checkout is not None or request.artifacts not in (None, "published"):
        raise UsageError(
            f"{said}: that is of images to be pulled, and Istio is to be built here",
            "leave it out, or --artifacts and --checkout",
        )
    if (own.tag or own.istioctl) and len(set(versions)) > 1:
        raise UsageError(
            f"{said}: that is of one Istio, and several are asked for", "ask for one version"
        )
