"""By which program a mesh is installed. Data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class InstalledBy(StrEnum):
    """The programs that Istio's pages have for it, and what they leave to others."""

    ISTIOCTL = "istioctl"
    """https://istio.io/latest/docs/setup/install/istioctl/"""
    HELM = "helm"
    """https://istio.io/latest/docs/setup/install/helm/"""
    PUSHED = "pushed"
    """By a host that manages the clusters: what istioctl writes is put into its source."""


_USUAL: Mapping[str, InstalledBy] = {
    "mixed-networks": InstalledBy.HELM,
    "host-pushed-mesh": InstalledBy.PUSHED,
}
"""The topologies that are not installed by istioctl unless that is asked for. The first has all
that there is of charts: primaries, a remote, and gateways."""


def usual_installer(topology: str) -> InstalledBy:
    """What installs the topology of this name where nothing else is asked for."""
    return _USUAL.get(topology, InstalledBy.ISTIOCTL)


def installer_words(installer: str | None) -> tuple[str, ...]:
    """By which word a deployment's name tells what installs it: by none of istioctl, and of records
    from before there was a choice."""
    return () if installer in (None, InstalledBy.ISTIOCTL) else (str(installer),)
