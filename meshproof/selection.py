"""What the command line may ask for: topologies, Istio versions, mTLS modes and variants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from meshproof.artifacts import checkout_version, default_wanted
from meshproof.errors import UsageError
from meshproof.model import REVISION, USUAL_REVISION, VARIANTS, Mtls, Releases, Topology
from meshproof.topologies import read_topology, topology_named, topology_names

BARE = "bare"
"""What the command line calls the tests on bare clusters, beside the topologies' names."""
_ON_DEMAND = frozenset({"external-control-plane-split-horizon"})
"""The topologies that are judged when they are named, or with --full: they combine what others
are judged for by default."""
_CLUSTERS = 2
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# The Service istiod-<revision> has a name of 63 characters at most.
_LONGEST_REVISION = 63 - len("istiod-")


@dataclass(frozen=True)
class Asked:
    """What a command line asks of the matrix, as it was written.

    ``names`` and ``files``: topologies; ``istio``: versions, or versions by cluster; ``mtls``,
    ``variants``: names of modes and variants; ``revision``: the name that asks for the variant
    "revision" as well; ``full``: the product of everything that is not narrowed otherwise;
    ``checkout``: an Istio source tree, whose Istio is the only one there is then.
    What is derived raises UsageError for what there is not, or cannot be.
    """

    names: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    istio: tuple[str, ...] = ()
    mtls: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    revision: str | None = None
    full: bool = False
    checkout: Path | None = None

    @cached_property
    def topologies(self) -> tuple[Topology, ...]:
        """The topologies asked for; all there are when none is."""
        return chosen_topologies(self.names, self.files)

    @cached_property
    def releases(self) -> tuple[Releases, ...]:
        """Which Istio runs where, once for each way asked for; the newest, or that of the source
        tree, when none is."""
        if self.checkout is not None and self.istio:
            raise UsageError("with --checkout Istio is the tree's own", "leave --istio out")
        newest = checkout_version(self.checkout) if self.checkout else default_wanted().istio[-1]
        asked = [Releases.parse(text, newest) for text in self.istio] or [Releases(newest)]
        named = dict.fromkeys(name for one in asked for name, _ in one.by_cluster)
        known = dict.fromkeys(name for topology in self.topologies for name in topology.names)
        for name in named:
            if name not in known:
                raise UsageError(
                    f"no topology chosen has a cluster '{name}' to run Istio in",
                    f"name {' or '.join(known)}" if known else "choose a topology",
                )
        return tuple(dict.fromkeys(asked))

    @property
    def versions(self) -> tuple[str, ...]:
        """The Istio versions that the clusters' nodes must hold; () stands for the newest."""
        if not any("=" in text for text in self.istio):
            return self.istio
        maps = [one.on(topology) for one in self.releases for topology in self.topologies]
        return tuple(dict.fromkeys(str(version) for found in maps for version in found.values()))

    @property
    def modes(self) -> tuple[Mtls, ...]:
        """The mTLS modes asked for; () leaves them to the matrix."""
        for name in self.mtls:
            if name not in list(Mtls):
                raise UsageError(
                    f"there is no mTLS mode '{name}'", f"choose one of {', '.join(Mtls)}"
                )
        return tuple(dict.fromkeys(Mtls(name) for name in self.mtls))

    @property
    def chosen_variants(self) -> tuple[str, ...]:
        """The variants asked for, by name or by a revision's name; () leaves them to the matrix.

        A revision is asked for in addition: where that is to all variants, it narrows nothing.
        """
        named = (*self.variants, REVISION) if self.revision is not None else self.variants
        check_variants(named, self.topologies)
        if self.full and not self.variants:
            return ()
        return tuple(dict.fromkeys(named))

    @property
    def chosen_revision(self) -> str:
        """The revision's name, where there is one."""
        if self.revision is None:
            return USUAL_REVISION
        check_revision(self.revision)
        return self.revision

    def check(self) -> None:
        """Raise UsageError for anything of this that there is not, or cannot be."""
        _ = self.topologies, self.releases, self.modes, self.chosen_variants, self.chosen_revision


def chosen_topologies(names: Sequence[str], files: Sequence[Path]) -> tuple[Topology, ...]:
    """The topologies asked for by name and by file; all there are when none is.

    Raises UsageError for what there is not, or cannot be.
    """
    if not names and not files:
        return tuple(topology_named(name) for name in topology_names())
    named = [topology_named(name) for name in dict.fromkeys(names) if name != BARE]
    chosen = (*named, *(read_topology(path) for path in files))
    for topology in chosen:
        if len(topology.workloads) != _CLUSTERS:
            raise UsageError(
                f"topology {topology.name} has {len(topology.workloads)} clusters with workloads",
                f"the suites judge {_CLUSTERS}: one with v1 of helloworld, one with v2",
            )
    return chosen


def usual_topologies() -> tuple[str, ...]:
    """The names of the topologies that are judged when none is named."""
    return tuple(name for name in topology_names() if name not in _ON_DEMAND)


def check_variants(names: Sequence[str], topologies: Sequence[Topology]) -> None:
    """Raise UsageError for a variant that there is not, or that none of the topologies can have."""
    for name in names:
        if name not in VARIANTS:
            raise UsageError(
                f"there is no variant '{name}'", f"choose one of {', '.join(VARIANTS)}"
            )
        variant = VARIANTS[name]
        if not any(variant.exists_on(topology) for topology in topologies):
            raise UsageError(
                f"the variant {name} needs a topology with {variant.needs}, and none is chosen"
            )


def check_revision(name: str) -> None:
    """Raise UsageError for what cannot be a revision's name."""
    if not _LABEL.fullmatch(name) or len(name) > _LONGEST_REVISION:
        raise UsageError(
            f"'{name}' is no name for a revision",
            f"use lower-case letters, digits and hyphens between them, {_LONGEST_REVISION} at most",
        )
    if name == "default":
        raise UsageError(
            "Istio takes 'default' for a mesh without a revision", "choose another name"
        )
