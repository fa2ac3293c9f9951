"""Deployments: what is installed on a topology. Data, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from meshproof.errors import ModelError
from meshproof.model.host import can_be_pushed
from meshproof.model.installer import InstalledBy, installer_words
from meshproof.model.member import Member, Mtls
from meshproof.model.topology import Topology
from meshproof.model.upgrade import Stage, Strategy, Upgrade, course, revision_of
from meshproof.model.variants import (
    JOINED_ROOTS,
    MESH_NETWORKS,
    ONE_TRUST_DOMAIN,
    REVISION,
    TRUST_DOMAINS,
    TRUST_DOMAINS_APART,
    UNRELATED_ROOTS,
    VARIANTS,
)
from meshproof.model.versions import Version


@dataclass(frozen=True)
class Deployment:
    """A topology with versions, mTLS mode and variants: what is installed, and a test's id.

    ``istio``: the version in each cluster. ``variants``: names such as "mesh-networks".
    ``revision``: the name of Istio's revision; "" unless ``variants`` holds "revision".
    ``upgrade``: how it gets to another Istio from the one in ``istio``; for a canary that is a
    revision, called after its version. ``installed_by``: the program that installs it, and removes
    it again; ``beyond``: all of the topology where this is a part of one, whose meshes go by what
    the others are. Raises ModelError for what cannot exist.
    """

    topology: Topology
    istio: Mapping[str, Version] = field(hash=False)
    kubernetes: Version
    mtls: Mtls = Mtls.STRICT
    variants: frozenset[str] = frozenset()
    revision: str = ""
    upgrade: Upgrade | None = None
    installed_by: InstalledBy = InstalledBy.ISTIOCTL
    beyond: Topology | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.beyond is not None:  # a part has what all of it was found to be able to have
            return
        lacking = [name for name in self.topology.names if name not in self.istio]
        if lacking:
            raise ModelError(
                f"no Istio version is given for {' and '.join(lacking)} of {self.topology.name}",
                "give one for each cluster",
            )
        for name in sorted(self.variants):
            self._check_variant(name)
        if self.variants & {TRUST_DOMAINS, TRUST_DOMAINS_APART}:
            object.__setattr__(self, "topology", self.topology.with_trust_domains())
        if ONE_TRUST_DOMAIN in self.variants:
            object.__setattr__(self, "topology", self.topology.with_one_trust_domain())
        if (REVISION in self.variants) != bool(self.revision):
            raise ModelError(
                f"the variant {REVISION} has no revision's name"
                if REVISION in self.variants
                else f"the revision {self.revision} is named without the variant {REVISION}",
                "give both, or neither",
            )
        if self.installed_by is InstalledBy.PUSHED:
            self._check_pushed()
        if self.upgrade is not None:
            self._check_upgrade(self.upgrade)

    def __hash__(self) -> int:
        # Tables of them are large, and a topology holds much that its name tells apart.
        what = (self.variants, self.revision, self.upgrade, self.installed_by)
        return hash((self.topology.name, self.mtls, *what))

    @property
    def old(self) -> Version:
        """The Istio that an upgrade begins with: the same in all clusters."""
        return next(iter(self.istio.values()))

    @cached_property
    def course(self) -> tuple[Stage, ...]:
        """The stages of the upgrade, the mesh as it is installed first; () without one."""
        return course(self.topology, self.old, self.upgrade) if self.upgrade is not None else ()

    def _check_pushed(self) -> None:
        if not can_be_pushed(self.topology):
            raise ModelError(
                f"nobody pushes a mesh to {self.topology.name}, which has no host for all of it",
                f"let {InstalledBy.ISTIOCTL} install it",
            )

    def _check_upgrade(self, upgrade: Upgrade) -> None:
        if self.installed_by is not InstalledBy.ISTIOCTL:
            raise ModelError(
                f"an upgrade of a mesh that {self.installed_by} has installed is not built",
                f"let {InstalledBy.ISTIOCTL} install it",
            )
        if len(set(self.istio.values())) > 1:
            raise ModelError(
                f"an upgrade of {self.topology.name} begins with {self._versions()}",
                "let it begin with one Istio in all clusters",
            )
        due = revision_of(self.old) if upgrade.strategy is Strategy.CANARY else ""
        if self.revision != due:
            raise ModelError(
                f"an upgrade by {upgrade.strategy.value} begins with the revision '{due}', not "
                f"'{self.revision}'",
                "leave the revision to the upgrade",
            )
        _ = self.course  # raises what cannot be

    def _check_variant(self, name: str) -> None:
        if name not in VARIANTS:
            raise ModelError(f"there is no variant '{name}'", f"give {', '.join(VARIANTS)}")
        if not VARIANTS[name].exists_on(self.topology):
            raise ModelError(
                f"{self.topology.name} cannot be installed in the variant {name}, which needs "
                f"{VARIANTS[name].needs}",
                "leave it out",
            )

    def gateways_to(self, cluster: str) -> tuple[Member, ...]:
        """The members whose gateways lead to a cluster from other networks. ``meshNetworks`` does
        not say which cluster a gateway is in, so there it is all of the network."""
        if MESH_NETWORKS in self.variants:
            member = self.topology[cluster]
            return self.topology.gateways_on(member.network, member.mesh)
        return self.topology.gateways_to(cluster)

    def vouches(self, one: str, other: str) -> bool:
        """Whether with mTLS the proxies of two clusters take each other's certificates: those of
        one control plane, and of others unless it has another root, or a trust domain that they do
        not know of."""
        apart = self.variants & {UNRELATED_ROOTS, TRUST_DOMAINS_APART}
        return not apart or self.topology[one].primary == self.topology[other].primary

    def root_of(self, member: Member) -> str:
        """The name of the root that a member's certificates are below."""
        alone = self.variants & {UNRELATED_ROOTS, JOINED_ROOTS}
        return member.primary if alone else member.mesh.root

    def part(self, topology: Topology) -> Deployment:
        """The same as far as a part of its topology goes."""
        return replace(self, topology=topology, beyond=self.beyond or self.topology)

    def also_trusted(self, member: Member) -> tuple[str, ...]:
        """The names of the roots that a member's mesh trusts beside its own."""
        if JOINED_ROOTS not in self.variants:
            return ()
        roots = dict.fromkeys(map(self.root_of, (self.beyond or self.topology).meshed))
        return tuple(one for one in roots if one != self.root_of(member))

    def trust_domain_aliases(self, member: Member) -> tuple[str, ...]:
        """The trust domains that a member's mesh takes for its own, beside it: those of meshes to
        which it exposes services, and in one variant all others."""
        if TRUST_DOMAINS_APART in self.variants:
            return ()
        topology = self.beyond or self.topology
        others = topology.meshed
        if TRUST_DOMAINS not in self.variants:
            others = tuple(
                topology[name]
                for name, exposure in topology.imports
                if topology[topology.providers(exposure)[0]].mesh == member.mesh
            )
        domains = dict.fromkeys(one.mesh.trust_domain for one in others)
        return tuple(one for one in domains if one != member.mesh.trust_domain)

    @property
    def shares_gateways(self) -> bool:
        """Whether some gateway leads from other networks to several versions."""
        topology = self.topology
        if len({*topology.networks, *(one.network for one in topology.machines)}) == 1:
            return False
        behind = Counter(
            one.name for name in topology.versions.values() for one in self.gateways_to(name)
        )
        for machine in topology.machines:
            if machine.version:
                near = topology.gateways_on(machine.network, topology[machine.primary].mesh)
                behind.update(one.name for one in near)
        return any(count > 1 for count in behind.values())

    def __str__(self) -> str:
        words = [self.topology.name, self._versions(), self.mtls.value]
        if self.upgrade is None:
            words += map(self._word, sorted(self.variants))
            return "+".join([*words, *installer_words(self.installed_by)])
        words[1] += f"-to-{self.upgrade.to}"
        # The revision is called after the version, which is there already.
        variants = sorted(self.variants - {REVISION})
        return "+".join([*words, *map(self._word, variants), str(self.upgrade)])

    def _versions(self) -> str:
        """The version that all clusters have, or each cluster with its own."""
        versions = {name: str(self.istio[name]) for name in self.topology.names}
        if len(set(versions.values())) == 1:
            return next(iter(versions.values()))
        return "-".join(f"{name}-{version}" for name, version in versions.items())

    def _word(self, variant: str) -> str:
        return f"rev-{self.revision}" if variant == REVISION else variant
