"""Judges a request before anything is made: what it comes to, or in one sentence why that cannot
be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network
from pathlib import Path

from meshproof.artifacts import (
    SOURCES,
    check_tree,
    checkout_version,
    default_wanted,
    istio_version,
)
from meshproof.engine.names import check_engine_name
from meshproof.errors import UsageError
from meshproof.files import BARE, BARES, read_topology, topology_named, topology_names
from meshproof.model import (
    REVISION,
    USUAL_REVISION,
    VARIANTS,
    Capability,
    InstalledBy,
    Mtls,
    Profile,
    Releases,
    RunRequest,
    Topology,
    Upgrade,
)
from meshproof.model.addresses import NETWORK, pool_named
from meshproof.model.own_cluster import OwnClusters
from meshproof.model.request import OPTIONS, has_own_clusters, in_short
from meshproof.nearest import choose
from meshproof.resources import resource
from meshproof.run.again import troubled
from meshproof.run.installers import check_installer, ids_named, installer_asked, uses_helm
from meshproof.run.own_build import check_clusters, check_own_build, own_builds
from meshproof.run.own_clusters import clusters_of
from meshproof.run.session import Choices
from meshproof.run.upgrades import check_upgrades, upgrades_of

_ON_DEMAND = frozenset(
    {
        "external-control-plane-split-horizon",
        "federation-of-three",
        "host-member",
        "host-pushed-mesh",
        "host-three-members",
        "hostname-gateways",
        "hybrid",
        "two-primaries-four-clusters",
        "zones",
    }
)
"""The topologies that are judged when they are named, or with --profile all: they combine what
others are judged for by default."""
_BARE_CLUSTERS = 2
_NUMBER = re.compile("[1-9][0-9]{0,3}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# The Service istiod-<revision> has a name of 63 characters at most.
_LONGEST_REVISION = 63 - len("istiod-")


@dataclass(frozen=True)
class Selection:
    """What a request comes to: topologies, releases, modes, variants, and what a session is made
    with.

    What is derived raises UsageError for what there is not, or cannot be; ``check`` derives it all.
    """

    request: RunRequest

    @property
    def profile(self) -> Profile:
        """Which levels are judged. All of them: with every mode and variant of every topology, as
        far as nothing else narrows that."""
        return Profile(self.request.profile)

    @property
    def in_short(self) -> bool:
        """Whether each core behaviour is judged only where it stands for what it is elsewhere."""
        return in_short({name: getattr(self.request, name) for name in OPTIONS})

    @cached_property
    def topologies(self) -> tuple[Topology, ...]:
        """The topologies asked for; where none is, those that are judged by default.

        One test alone is looked for on all of them, but for those that a file takes the name of.
        """
        asked = self.request
        if asked.topology or (asked.topology_file and asked.only is None):
            return chosen_topologies(asked.topology, asked.topology_file)
        own = {read_topology(path).name for path in asked.topology_file}
        all_of_them = self.profile is Profile.ALL or asked.only is not None
        names = topology_names() if all_of_them else usual_topologies()
        return chosen_topologies([one for one in names if one not in own], asked.topology_file)

    def asks_for_bare(self, name: str) -> bool:
        """Whether the clusters without a mesh of this name, one of ``BARES``, are asked for."""
        return name in self.request.topology

    @cached_property
    def releases(self) -> tuple[Releases, ...]:
        """Which Istio runs where, once for each way asked for; the newest, or that of the source
        tree, when none is."""
        checkout, istio = self.request.checkout, self.request.istio
        if checkout is not None and istio:
            raise UsageError("with --checkout Istio is the tree's own", "leave --istio out")
        if checkout is not None and self.request.upgrade_to is not None:
            raise UsageError(
                "with --checkout there is one Istio alone, and no other to upgrade to",
                "leave --checkout or --upgrade-to out",
            )
        check_source(self.request.artifacts, checkout)
        newest = checkout_version(checkout) if checkout else default_wanted().istio[-1]
        asked = [Releases.parse(text, newest, istio_version) for text in istio]
        asked = asked or [Releases(newest)]
        named = dict.fromkeys(name for one in asked for name, _ in one.by_cluster)
        check_clusters(named, self._clusters)
        return tuple(dict.fromkeys(asked))

    @property
    def _clusters(self) -> tuple[str, ...]:
        """The names of all clusters of the topologies asked for."""
        names = (name for topology in self.topologies for name in topology.names)
        return tuple(dict.fromkeys(names))

    @cached_property
    def upgrades(self) -> tuple[Upgrade, ...]:
        """The ways to another Istio that are asked for; () where none is."""
        return upgrades_of(self.request)

    @property
    def versions(self) -> tuple[str, ...]:
        """The Istio versions that the clusters' nodes must hold; () stands for the newest."""
        to = [str(one.to) for one in self.upgrades]
        if not any("=" in text for text in self.request.istio):
            return tuple(dict.fromkeys([*self.request.istio, *to]))
        maps = [one.on(topology) for one in self.releases for topology in self.topologies]
        found = [str(version) for one in maps for version in one.values()]
        return tuple(dict.fromkeys([*found, *to]))

    @property
    def modes(self) -> tuple[Mtls, ...]:
        """The mTLS modes asked for; () leaves them to the matrix."""
        return tuple(dict.fromkeys(map(Mtls, self.request.mtls)))

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants asked for, by name or by a revision's name; () leaves them to the matrix.

        A revision is asked for in addition: where that is to all variants, it narrows nothing.
        """
        asked = self.request.variant
        named = (*asked, REVISION) if self.request.revision is not None else asked
        check_variants(named, self.topologies)
        if self.profile is Profile.ALL and not asked:
            return ()
        return tuple(dict.fromkeys(named))

    @property
    def revision(self) -> str:
        """The revision's name, where there is one."""
        if self.request.revision is None:
            return USUAL_REVISION
        check_revision(self.request.revision)
        return self.request.revision

    @property
    def installer(self) -> InstalledBy | None:
        """What installs every mesh; None where each topology has its usual one."""
        return installer_asked(self.request)

    @cached_property
    def pool(self) -> IPv4Network | None:
        """The range that was named for labs' networks; None where they find one themselves."""
        return pool_named(self.request.pool) if self.request.pool is not None else None

    @cached_property
    def clusters(self) -> OwnClusters | None:
        """The clusters of one's own that a mesh is judged on; None where they are made."""
        asked = self.request
        if has_own_clusters(asked) and not (asked.topology or asked.topology_file):
            return clusters_of(asked, ())
        if has_own_clusters(asked) and any(map(self.asks_for_bare, BARES)):
            raise UsageError(
                "clusters without a mesh are judged by their router, which yours have not",
                "name topologies alone",
            )
        return clusters_of(asked, self.topologies)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What the labs of this run can."""
        # Both are loaded when tests are collected, not by every command.
        from meshproof.lab import KindLab
        from meshproof.lab.own.lab import KubeconfigLab

        return KubeconfigLab.capabilities if self.clusters else KindLab.capabilities

    @property
    def rounds(self) -> int:
        """How often each test is judged."""
        said = self.request.repeat
        if not _NUMBER.fullmatch(said):
            raise UsageError(f"--repeat is '{said}'", "give a number from 1 to 9999")
        return int(said)

    @property
    def calls(self) -> float:
        """Calls a second that a stream makes in each cluster."""
        said = self.request.calls
        if not _NUMBER.fullmatch(said):
            raise UsageError(f"--calls is '{said}'", "give a number from 1 to 9999")
        return float(said)

    @cached_property
    def troubled(self) -> tuple[str, ...]:
        """The ids of the tests that did not hold in the run whose failures are asked for again; ()
        where none is named."""
        failed = self.request.rerun_failed
        return troubled(failed) if failed is not None else ()

    @property
    def choices(self) -> Choices:
        """What a session of this run is made with."""
        asked = self.request
        return Choices(
            engine=asked.engine,
            source=asked.artifacts,
            checkout=asked.checkout,
            kubernetes=asked.kubernetes,
            istio=self.versions,
            reports=asked.reports,
            pool=self.pool,
            own=own_builds(asked, self._clusters),
            unsupported=asked.unsupported_kubernetes,
            archives=asked.image_archive,
            helm=uses_helm(self.installer, self.topologies, ids_named(asked, self.troubled)),
            charts=asked.charts,
            clusters=self.clusters,
        )

    def check(self) -> None:
        """Raise UsageError for anything of this that there is not, or cannot be."""
        asked = self.request
        if asked.engine is not None:
            check_engine_name(asked.engine)
        check_source(asked.artifacts, asked.checkout)
        if asked.checkout is not None:
            check_tree(asked.checkout)
        _ = self.topologies, self.releases, self.variants, self.revision, self.pool
        _ = self.rounds, self.calls, self.troubled, self.clusters
        check_own_build(asked, self.versions, self._clusters)
        check_installer(asked, self.topologies, self.versions)
        check_upgrades(asked, self.topologies, self.releases, self.upgrades)
        if asked.suite and not asked.suites:
            _check_suites(asked.suite)
        if asked.repair and asked.reuse is None:
            raise UsageError(
                "--repair is about the mesh of a kept lab, and none is named",
                "add '--reuse LAB', or leave it out",
            )
        self._check_bare()

    def check_pool(self, labs: int) -> None:
        """Raise UsageError when the networks of so many labs at once cannot be taken from the
        pool named."""
        pool, reuse = self.pool, self.request.reuse
        if pool is None:
            return
        if reuse is not None:
            raise UsageError(
                f"--pool is for labs that are made, and lab {reuse} has its networks already",
                "leave --pool or --reuse out",
            )
        kubernetes = default_wanted().kubernetes
        footprints = [one.footprint(kubernetes) for one in self.topologies]
        for footprint in footprints:
            footprint.check_clear_of(pool)
        clusters = max((len(one.places) for one in footprints), default=_BARE_CLUSTERS)
        holds = 2 ** (NETWORK - pool.prefixlen)
        if labs * clusters > holds:
            each = f"each of {labs} labs at once" if labs > 1 else "a lab"
            fewer = ", or take fewer workers" if labs > 1 else ""
            raise UsageError(
                f"{pool} holds {holds} network{'s' if holds > 1 else ''}, and {each} needs "
                f"{clusters}",
                f"name a larger range{fewer}",
            )

    def _check_bare(self) -> None:
        """What is said of meshes must be said of some: bare clusters have none."""
        if self.topologies:
            return
        asked = self.request
        given = {
            "--mtls": bool(asked.mtls),
            "--variant": bool(asked.variant),
            "--revision": asked.revision is not None,
            "--istio": bool(asked.istio),
            "--upgrade-to": asked.upgrade_to is not None,
            "--installer": asked.installer is not None,
        }
        said = [option for option, is_given in given.items() if is_given]
        if said:
            raise UsageError(
                f"'{BARE}' stands for clusters without a mesh, about which "
                f"{' and '.join(said)} say{'s' if len(said) == 1 else ''} nothing",
                "name a topology as well, or leave that out",
            )


def chosen_topologies(names: Sequence[str], files: Sequence[Path]) -> tuple[Topology, ...]:
    """The topologies asked for by name and by file; all there are when none is.

    Raises UsageError for what there is not, or cannot be.
    """
    if not names and not files:
        return tuple(topology_named(name) for name in topology_names())
    named = [_named(name) for name in dict.fromkeys(names) if name not in BARES]
    chosen = (*named, *(read_topology(path) for path in dict.fromkeys(files)))
    found = [topology.name for topology in chosen]
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two of the topologies chosen are called {twice}, so nobody could tell their verdicts "
            "apart",
            "give one of them another 'name', or leave it out",
        )
    return chosen


def _named(name: str) -> Topology:
    if name not in topology_names():
        if name.endswith((".yaml", ".yml")) or "/" in name:
            raise UsageError(
                f"'{name}' is no topology's name, but looks like a file",
                f"use '--topology-file {name}'",
            )
        raise UsageError(
            f"there is no topology '{name}'", choose(name, (*topology_names(), *BARES))
        )
    return topology_named(name)


def check_source(source: str | None, checkout: Path | None) -> None:
    """Raise UsageError for an unknown source of artifacts, and for a source tree that would not
    be used, or is missing."""
    if source is not None and source not in SOURCES:
        raise UsageError(
            f"there is no source '{source}' of artifacts", f"choose one of {', '.join(SOURCES)}"
        )
    if checkout is not None and source not in (None, "checkout"):
        raise UsageError(
            f"--checkout names a tree to build Istio from, and --artifacts {source} would not "
            "look at it",
            "leave one of the two out",
        )
    if checkout is None and source == "checkout":
        raise UsageError("no Istio source tree was named", "add '--checkout FOLDER'")


def suite_names() -> tuple[str, ...]:
    """The names of the suites that travel with meshproof, sorted."""
    found = {path.parent.name for path in resource("suites").glob("*/test_*.py")}
    return tuple(sorted(found))


def _check_suites(names: Sequence[str]) -> None:
    known = suite_names()
    for name in names:
        if name not in known:
            raise UsageError(f"there is no suite '{name}'", choose(name, known))


def usual_topologies() -> tuple[str, ...]:
    """The names of the topologies that are judged when none is named."""
    return tuple(name for name in topology_names() if name not in _ON_DEMAND)


def check_variants(names: Sequence[str], topologies: Sequence[Topology]) -> None:
    """Raise UsageError for a variant that none of the topologies can have."""
    for name in names:
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
