"""What a lab asks for, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.model import Version

if TYPE_CHECKING:
    from meshproof.artifacts.host import HostArtifacts

RELEASES_HUB = "docker.io/istio"
"""The registry and path of the images of Istio's releases."""


@dataclass(frozen=True, slots=True)
class OwnBuild:
    """Where Istio's images and istioctl are, if not where its releases are.

    ``hub``: the registry and path of its images, None for that of releases; ``tag``: theirs, None
    for the version; ``istioctl``: the program, None for the release's.
    """

    hub: str | None = None
    tag: str | None = None
    istioctl: Path | None = None

    @property
    def is_named(self) -> bool:
        """Whether anything differs from a release."""
        return self != OwnBuild()

    def image(self, name: str, version: Version) -> str:
        """The reference of one of Istio's images, such as "pilot"."""
        return f"{self.hub or RELEASES_HUB}/{name}:{self.tag or version}"


@dataclass(frozen=True, slots=True)
class OwnBuilds:
    """Where each Istio comes from. ``by_version``: those that differ from ``elsewhere``."""

    elsewhere: OwnBuild = OwnBuild()
    by_version: tuple[tuple[Version, OwnBuild], ...] = ()

    @property
    def is_named(self) -> bool:
        """Whether anything differs from releases."""
        return self != OwnBuilds()

    def of(self, version: Version) -> OwnBuild:
        """The build of a version."""
        return dict(self.by_version).get(version, self.elsewhere)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a lab asks for. All versions of ``istio`` are baked into the node image.

    ``envoy``: None takes the one that belongs to each Istio version (see the catalog).
    ``own``: where Istio comes from, if it is no release; ``unsupported``: whether the Kubernetes
    may be one that an Istio does not support; ``archives``: files with images that are not pulled
    then. ``helm``: whether something is installed by Helm; ``charts``: a folder with the charts for
    that, None for the version's own.
    """

    kubernetes: Version
    istio: tuple[Version, ...] = ()
    envoy: Version | None = None
    own: OwnBuilds = OwnBuilds()
    unsupported: bool = False
    archives: tuple[Path, ...] = ()
    helm: bool = False
    charts: Path | None = None


@dataclass(frozen=True, slots=True)
class Helm:
    """``program``: Helm itself; ``charts``: by Istio's version a folder with the charts "base",
    "istiod" and "gateway"."""

    program: Path
    charts: Mapping[Version, Path]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a lab is made of.

    ``source``: "published", "built" or "checkout". ``node_image``: a reference in the engine,
    for nodes and router. ``images``: references baked into the node: "workload",
    "pilot:<version>", "proxyv2:<version>". From a checkout
    the only Istio version is the tree's own. ``digest`` names all that went in, ``parts`` each
    part of it by a digest, as far as that is known, and the node image by the engine's;
    ``proxies``: which proxy each Istio runs, "plain Envoy 1.38.0" or "Istio's own"; ``ours``: the
    folder with the programs of our own, for this machine, and with what suites apply of others';
    ``filters_off``: by Istio which of its own filters its proxy lacks; ``helm``, and ``host``, what
    a host pushes by: None where nobody asked for it.
    """

    source: str
    node_image: str
    kind: Path
    istioctl: Mapping[Version, Path]
    images: Mapping[str, str]
    digest: str
    parts: Mapping[str, str]
    proxies: Mapping[Version, str]
    ours: Path
    filters_off: Mapping[Version, tuple[str, ...]]
    helm: Helm | None = None
    host: HostArtifacts | None = None
