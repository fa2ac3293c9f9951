"""Which Kubernetes versions an Istio supports, as its project says."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import yaml

from meshproof.artifacts.catalog import RECIPES
from meshproof.errors import UsageError
from meshproof.model import Version

Minor = tuple[int, int]


@cache
def _supported() -> dict[Minor, tuple[Minor, Minor]]:
    """By an Istio's minor version the oldest and the newest of Kubernetes that it supports."""
    data = yaml.load((RECIPES / "support.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    return {_minor(istio): (_minor(old), _minor(new)) for istio, (old, new) in data.items()}


def check_supported(istios: Iterable[Version], kubernetes: Version) -> None:
    """Raise UsageError where one of these Istio versions does not support this Kubernetes.

    Of an Istio whose minor version is not in ``recipes/support.yaml`` nothing is known, and so
    nothing is said.
    """
    for istio in istios:
        known = _supported().get((istio.major, istio.minor))
        if known is None:
            continue
        oldest, newest = known
        if not oldest <= (kubernetes.major, kubernetes.minor) <= newest:
            raise UsageError(
                f"Istio {istio} supports Kubernetes {_said(oldest)} to {_said(newest)}, and not "
                f"{kubernetes}",
                f"choose one of these by --kubernetes, as in {_said(newest)}.0, or another Istio",
            )


def _minor(text: str) -> Minor:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def _said(minor: Minor) -> str:
    return f"{minor[0]}.{minor[1]}"
