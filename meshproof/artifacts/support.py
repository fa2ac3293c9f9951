"""Which Kubernetes versions an Istio supports, as its project says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import yaml

from meshproof.artifacts.catalog import RECIPES
from meshproof.errors import UsageError
from meshproof.model import Version

Minor = tuple[int, int]
_ALWAYS, _NEVER = (0, 0), (10**6, 0)


@cache
def _supported() -> dict[Minor, tuple[Minor, Minor]]:
    """By an Istio's minor version the oldest and the newest of Kubernetes that it supports."""
    data = yaml.load((RECIPES / "support.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    return {_minor(istio): (_minor(old), _minor(new)) for istio, (old, new) in data.items()}


def check_supported(istios: Iterable[Version], kubernetes: Version) -> None:
    """Raise UsageError where one of these Istio versions does not support this Kubernetes."""
    for said in unsupported(istios, kubernetes):
        raise UsageError(
            said,
            "choose one of these by --kubernetes, or another Istio, or add "
            "--unsupported-kubernetes to have it judged all the same",
        )


def unsupported(istios: Iterable[Version], kubernetes: Version) -> list[str]:
    """One sentence for each of these Istio versions that does not support this Kubernetes.

    Of an Istio whose minor version is not in ``recipes/support.yaml`` nothing is known, and so
    nothing is said.
    """
    found = []
    for istio in istios:
        oldest, newest = _supported().get((istio.major, istio.minor), (_ALWAYS, _NEVER))
        if not oldest <= (kubernetes.major, kubernetes.minor) <= newest:
            found.append(
                f"Istio {istio} supports Kubernetes {_said(oldest)} to {_said(newest)}, and not "
                f"{kubernetes}"
            )
    return found


def _minor(text: str) -> Minor:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _said(minor: Minor) -> str:
    return f"{minor[0]}.{minor[1]}"
