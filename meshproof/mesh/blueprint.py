"""What a deployment is made of: the documents and objects for each of its clusters, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from meshproof.artifacts import Bundle
from meshproof.kube.objects import Object
from meshproof.mesh import manifests, operator_config
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY, Document, Images
from meshproof.mesh.trust import SECRET, Authority
from meshproof.model import MESH_NETWORKS, SEVERAL_ROOTS, Deployment, Member, Role, Version
from meshproof.model.member import TLS_PORT


@dataclass(frozen=True)
class Blueprint:
    """``roots``: the roots of trust by name; ``gateways``: the address that each gateway will
    have; ``istiods``: where each remote reaches its primary's istiod. Addresses are known before
    anything is installed. ``beside``: the Services of istiods of other revisions that are there as
    well."""

    deployment: Deployment
    bundle: Bundle
    roots: Mapping[str, Authority]
    gateways: Mapping[str, IPv4Address]
    istiods: Mapping[str, IPv4Address]
    beside: tuple[str, ...] = ()

    def version(self, member: Member) -> Version:
        """The Istio version of a cluster."""
        return self.deployment.istio[member.name]

    def prepared(self, member: Member) -> list[Object]:
        """Namespace and trust. A remote gets ``cacerts`` too: only its primary's is used."""
        root = self.roots[self.deployment.root_of(member)]
        authority = root.intermediate(f"meshproof {member.name}")
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": SYSTEM},
            "stringData": authority.cacerts(),
        }
        topology = self.deployment.topology
        served_by = None
        if member.role is Role.REMOTE and not self.is_config_cluster(member):
            # istiod goes by the name of the cluster that it takes for its own.
            served_by = topology.config_cluster(member.primary)
        namespace = manifests.system_namespace(member, served_by, labelled=self._labelled)
        return [namespace, secret]

    def control_plane(self, member: Member) -> Document:
        """istiod for a cluster that runs it, what a remote needs of Istio for a remote."""
        images = self._images(member)
        networks: Document = {}
        if not self._labelled:
            networks = operator_config.mesh_networks(self.deployment, member, self.gateways)
        if self.is_config_cluster(member):
            istiod = self.istiods[member.name]
            return operator_config.config_cluster(self.deployment, member, images, istiod, networks)
        if member.role is Role.REMOTE:
            istiod = self.istiods[member.name]
            return operator_config.remote(self.deployment, member, images, istiod)
        if member.role is Role.EXTERNAL:
            return operator_config.external(self.deployment, member, images)
        document = operator_config.primary(self.deployment, member, images, networks)
        others = [self.roots[name].pem for name in self.deployment.also_trusted(member)]
        ready = others or SEVERAL_ROOTS in self.deployment.variants
        return operator_config.trusting(document, others) if ready else document

    def gateway(self, member: Member) -> Document:
        """The east-west gateway of a cluster that has one."""
        images = self._images(member)
        return operator_config.gateway(self.deployment, member, images, labelled=self._labelled)

    def beside_istiod(self, member: Member) -> list[Object]:
        """What a primary's istiod is told by objects: mTLS, and the ways across networks."""
        topology = self.deployment.topology
        objects = [manifests.peer_authentication(self.deployment.mtls)]
        ports = self.gateway_ports(member)
        if len(topology.networks_of(member.mesh)) > 1:
            objects.append(manifests.cross_network_gateway(ports))
            if self.deployment.shares_gateways:
                objects.append(manifests.short_connections())
        objects += self.exposing(member)
        return [*objects, *self.ways_to_istiod(member)]

    def ways_to_istiod(self, member: Member) -> list[Object]:
        """The way through a primary's gateway to its istiods, where a remote or a machine needs
        it."""
        apart = any(remote.network != member.network for remote in self._served(member))
        apart = apart or (member.gateway is not None and self._has_machines(member))
        if not apart or member.role is Role.EXTERNAL:
            return []
        # Who was there before keeps what asks for nobody by name.
        return manifests.istiod_by_gateway(*self.beside, self.revised("istiod"))

    def exposing(self, member: Member) -> list[Object]:
        """By what a control plane's gateways let other meshes in, to what it exposes alone."""
        hosts = self.deployment.topology.exposed_by(member.name)
        ports = self.gateway_ports(member)
        return [manifests.federation_gateway(ports, hosts)] if hosts else []

    def gateway_ports(self, member: Member) -> list[int]:
        """By which ports the gateways that a control plane configures are entered."""
        served = [member, *self._served(member)]
        ports = {one.gateway.port for one in served if one.gateway is not None}
        return sorted(ports or {TLS_PORT})

    def has_address(self, member: Member) -> bool:
        """Whether istiod has an address of its own: for remotes on its network, for machines there
        where no gateway leads to it, and outside."""
        near = any(remote.network == member.network for remote in self._served(member))
        near = near or (member.gateway is None and self._has_machines(member))
        return near or member.role is Role.EXTERNAL

    def is_config_cluster(self, member: Member) -> bool:
        """Whether an external istiod reads its configuration from this cluster."""
        topology = self.deployment.topology
        external = topology[member.primary].role is Role.EXTERNAL
        return external and topology.config_cluster(member.primary) == member.name

    def revised(self, name: str) -> str:
        """What Istio calls an object of a control plane that has a revision."""
        revision = self.deployment.revision
        return f"{name}-{revision}" if revision else name

    @property
    def istiod_address(self) -> Object:
        """The Service by which istiod has an address of its own."""
        name = self.revised(manifests.ISTIOD_ADDRESS)
        return manifests.istiod_by_address(name, self.deployment.revision)

    def istiod_service(self, remote: Member) -> str:
        """The Service in its primary's cluster by which a remote reaches istiod."""
        topology = self.deployment.topology
        near = topology.same_network(remote.name, remote.primary)
        own = near or topology[remote.primary].role is Role.EXTERNAL
        return self.revised(manifests.ISTIOD_ADDRESS) if own else GATEWAY

    def _served(self, member: Member) -> tuple[Member, ...]:
        return self.deployment.topology.served_by(member.name)

    def _has_machines(self, member: Member) -> bool:
        return bool(self.deployment.topology.machines_of(member.name))

    @property
    def _labelled(self) -> bool:
        return MESH_NETWORKS not in self.deployment.variants

    def _images(self, member: Member) -> Images:
        return images_of(self.bundle, self.version(member))


def images_of(bundle: Bundle, version: Version) -> Images:
    """Where nodes find the images of a version."""
    name, _, tag = bundle.images[f"pilot:{version}"].rpartition(":")
    return Images(name.removesuffix("/pilot"), tag, bundle.filters_off[version])
