"""The sample application of Istio's documents: sleep calls, helloworld answers with its version.

Both are ours, with every source of artifacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count

from meshproof.artifacts.images import WORKLOAD
from meshproof.errors import EvidenceError
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, apply
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import PodWorkload, Workload, find_workload, list_workloads
from meshproof.mesh.exposure import Served, exposure_objects
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.machines import Joining, join
from meshproof.mesh.manifests import LOCALITY_LABEL, ZONE_LABEL
from meshproof.mesh.mesh import Mesh, Way
from meshproof.mesh.routes import host_of
from meshproof.model import Machine, Pair, Topology
from meshproof.model.machine import mesh_of, sites
from meshproof.model.request import CALLS
from meshproof.process import Shell, side_by_side
from meshproof.workloads.machine import MachineWorkload, serve

NAMESPACE = "sample"
OUTSIDE = "outside"
"""The namespace of callers without a sidecar."""
PORT = 5000
GRPC_PORT = 5001
TCP_PORT = 9000
"""Where helloworld greets whoever connects, and again for each line that it is told."""
SLEEP, HELLOWORLD = "sleep", "helloworld"
_GRACE, _GOES_ON = 30, 5
"""Seconds that pods have to end, and in which they still answer."""
HOST = host_of(HELLOWORLD, NAMESPACE)
SERVED = Served(
    HELLOWORLD, NAMESPACE, {"app": HELLOWORLD}, HELLOWORLD, {"http": PORT, "tcp": TCP_PORT}
)
"""helloworld, as it may be exposed to other meshes."""
SNI = sni_of(HOST, PORT)
"""What sidecars ask for by TLS: a service and its port, so that gateways can tell."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Helloworld pods that are called at one address: a pod by itself, or all that a gateway leads
    to, of which nobody outside can choose one."""

    way: Way
    servers: tuple[PodWorkload, ...]

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters that they run in."""
        return tuple(dict.fromkeys(one.cluster for one in self.servers))

    def __str__(self) -> str:
        names = " or ".join(one.name for one in self.servers)
        return f"{names} at {self.way}"


@dataclass
class Sample:
    """sleep and helloworld on a mesh. ``calls``: how many a second a stream makes in each cluster
    whose plan does not say; ``numbers``: those that TCP connections are told apart by in proxies'
    logs, so that samples of one mesh have them in common."""

    mesh: Mesh
    callers: dict[tuple[str, str], PodWorkload] = field(default_factory=dict)
    calls: float = float(CALLS)
    numbers: Iterator[int] = field(default_factory=count, repr=False, compare=False)

    @property
    def topology(self) -> Topology:
        """What the mesh's deployment is of."""
        return self.mesh.deployment.topology

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters in which workloads run, and calls are made."""
        return self.topology.workloads

    @property
    def versions(self) -> dict[str, str]:
        """The cluster that each version belongs into."""
        return self.topology.versions

    @property
    def homes(self) -> tuple[str, ...]:
        """The clusters that a version belongs into."""
        return tuple(dict.fromkeys(self.versions.values()))

    def versions_in(self, cluster: str) -> tuple[str, ...]:
        """The versions that belong into a cluster."""
        return tuple(version for version, home in self.versions.items() if home == cluster)

    @property
    def common(self) -> tuple[str, ...]:
        """The versions that every caller's istiod knows of."""
        return self.topology.common_versions

    def reached_from(self, caller: str) -> dict[str, str]:
        """The cluster of each version that the istiod of a caller's cluster knows of."""
        return {
            version: cluster
            for version, cluster in self.versions.items()
            if self.topology.knows(caller, cluster)
        }

    @property
    def read_from_elsewhere(self) -> Pair:
        """A caller's cluster, and one with versions that its istiod reads by a remote secret.

        Raises EvidenceError where no istiod reads another cluster.
        """
        for caller, version in self.topology.pairs:
            home = self.versions[version]
            if self.topology[caller].primary in self.topology.readers(home):
                return caller, home
        raise EvidenceError(f"no istiod of {self.topology.name} reads another cluster")

    @property
    def far_gateway(self) -> str:
        """A cluster whose gateway leads the callers of another network to a version, but not the
        proxies of another cluster to their istiod, where there is such a one: whoever moves, or
        ends, that has their istiod out of reach as well. Raises StopIteration where no gateway
        leads to a version."""
        homes = {self.versions[version] for _, version in self.pairs(same_network=False)}
        members = [one for one in self.topology.members if one.name in homes and one.gateway]
        alone = [one for one in members if not self.topology.served_by(one.name)]
        return next(one.name for one in (*alone, *members))

    def pairs(self, *, same_network: bool) -> list[Pair]:
        """The ordered pairs of a caller's cluster and a version in another one that its istiod
        knows of, on one network or on two."""
        near = self.topology.same_network
        return [
            (caller, version)
            for caller, version in self.topology.pairs
            if near(caller, self.versions[version]) is same_network
        ]

    @property
    def smallest_share(self) -> float:
        """The part of all instances that the version with the fewest of them has; of topologies
        with machines the half of it, since one that shares a gateway with another may get less than
        its part of the calls."""
        counts = [one.replicas for one in self.topology.placements]
        counts += [1 for one in self.topology.machines if one.version]
        share = min(counts) / sum(counts)
        return share / 2 if self.topology.machines else share

    def caller_identity(self, cluster: str) -> str:
        """The SPIFFE ID of a cluster's sleep."""
        return self.topology[cluster].mesh.identity(NAMESPACE, SLEEP)

    def server_identity(self, cluster: str) -> str:
        """The SPIFFE ID of a cluster's helloworld."""
        return self.topology[cluster].mesh.identity(NAMESPACE, HELLOWORLD)

    def ways(self, caller: str, server: PodWorkload) -> set[Way]:
        """Where sidecars of a cluster call a helloworld pod: at its own address, or across
        networks at each gateway that leads to it."""
        if self.topology.same_network(caller, server.cluster):
            return {Way(server.address, PORT)}
        return set(self.mesh.ways_to(server.cluster).values())

    def caller(self, cluster: str, app: str = SLEEP, namespace: str = NAMESPACE) -> PodWorkload:
        """The sleep (or another app's pod that can call) of a cluster."""
        key = (cluster, f"{namespace}/{app}")
        if key not in self.callers:
            self.callers[key] = find_workload(self.mesh.cluster(cluster), app, namespace)
        return self.callers[key]

    def calling(self, name: str) -> Workload:
        """Who calls by a name: sleep of a cluster, or a machine outside Kubernetes."""
        return self.machines[name] if name in self.machines else self.caller(name)

    def forget_callers(self, cluster: str) -> None:
        """Look the callers of a cluster up anew: their pods were started again, and have other
        addresses."""
        self.callers = {key: one for key, one in self.callers.items() if key[0] != cluster}

    def replace_caller(self, caller: PodWorkload) -> None:
        """Let another pod be the sleep of its cluster."""
        self.callers[caller.cluster, f"{NAMESPACE}/{SLEEP}"] = caller

    def outsider(self, cluster: str) -> PodWorkload:
        """A caller without a sidecar."""
        return self.caller(cluster, namespace=OUTSIDE)

    def servers(self, namespace: str = NAMESPACE) -> dict[str, PodWorkload]:
        """The helloworld pods of all clusters that have an address now, by name."""
        clusters = [self.mesh.cluster(name) for name in self.clusters]
        found = side_by_side(
            self.mesh.shell, lambda one: list_workloads(one, HELLOWORLD, namespace), clusters
        )
        return {server.name: server for servers in found for server in servers}

    @cached_property
    def machines(self) -> dict[str, MachineWorkload]:
        """The machines outside Kubernetes, by name."""
        topology = self.topology
        return {
            one.name: MachineWorkload(
                one,
                self.mesh.lab.machines[one.name],
                site.beside,
                NAMESPACE,
                mesh_of(topology, one).trust_domain,
            )
            for one, site in zip(topology.machines, sites(topology), strict=True)
        }

    def machine_versions(self, caller: str) -> dict[str, str]:
        """The versions on machines that the istiod of a caller's cluster knows of, each with the
        cluster that serves its machine."""
        return {
            one.version: one.primary
            for one in self.topology.machines
            if one.version and self.topology.knows(caller, one.primary)
        }

    def answering(self) -> dict[str, Workload]:
        """Whoever may answer as helloworld now, by name: pods, and machines that have a version."""
        machines = {name: one for name, one in self.machines.items() if one.version}
        return {**self.servers(), **machines}

    def every_server(self) -> list[PodWorkload]:
        """The helloworld pods of all clusters now. Raises EvidenceError when a version has none:
        what holds for all pods would hold for it, too."""
        found = list(self.servers().values())
        if missing := self.versions.keys() - {one.version for one in found}:
            raise EvidenceError(f"no pod of {', '.join(sorted(missing))} is there to be judged")
        return found

    def behind(self, caller: str) -> list[Behind]:
        """All helloworld pods that a cluster's istiod knows of, by the way to them. Raises
        EvidenceError as ``every_server`` does."""
        found: dict[Way, list[PodWorkload]] = {}
        for server in self.every_server():
            if self.topology.knows(caller, server.cluster):
                for way in self.ways(caller, server):
                    found.setdefault(way, []).append(server)
        return [Behind(way, tuple(servers)) for way, servers in sorted(found.items())]

    def server(self, version: str) -> PodWorkload:
        """One pod of a version. Raises StopIteration when there is none."""
        return next(one for one in self.servers().values() if one.version == version)


def deploy_sample(mesh: Mesh) -> Sample:
    """Deploy sleep and the helloworld Service in all clusters that have workloads, and the
    versions of helloworld where the topology places them, wait until they run, let machines join,
    and expose what the topology exposes to other meshes. A cluster without workloads gets a caller
    without a sidecar, to be reached or kept out as any other.

    Raises LabError with the reason when something will not.
    """
    with mesh.lab.recorder.step("deploy sleep and helloworld"):
        shell = mesh.shell
        side_by_side(shell, lambda one: deploy_in(mesh, one, shell), mesh.lab.clusters.values())
    machines = mesh.deployment.topology.machines
    if machines:
        side_by_side(mesh.shell, lambda one: _take_in(mesh, one), machines)
    if mesh.deployment.topology.exposes:
        with mesh.lab.recorder.step("expose services to other meshes"):
            for name in mesh.deployment.topology.config_clusters:
                apply(mesh.cluster(name), exposure_objects(mesh, name, [SERVED]))
    return Sample(mesh)


def _take_in(mesh: Mesh, machine: Machine) -> None:
    serve(mesh.lab.machines[machine.name], machine.version)
    join(mesh, machine, joining_of(machine))


def joining_of(machine: Machine) -> Joining:
    """How a machine joins: with an account of its own, and behind helloworld's Service where it has
    a version of that."""
    labels = {"app": HELLOWORLD, "version": machine.version} if machine.version else {}
    return Joining(NAMESPACE, machine.name, labels or {"app": machine.name})


def namespace_object(name: str, *, injected: bool, revision: str = "") -> Object:
    """A namespace whose pods get a sidecar, or do not. ``revision``: whose istiod's they get."""
    labels = {"istio.io/rev": revision} if revision else {"istio-injection": "enabled"}
    labels = labels if injected else {}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def sleep_objects(
    namespace: str = NAMESPACE,
    name: str = SLEEP,
    annotations: Mapping[str, str] | None = None,
) -> list[Object]:
    """A pod that does nothing, from which calls are made."""
    return _workload(namespace, name, name, {}, SLEEP, annotations=annotations)


def helloworld_objects(
    version: str, replicas: int = 1, locality: str = "", namespace: str = NAMESPACE
) -> list[Object]:
    """The Deployment of one version of helloworld, its instances in as many zones as there are.

    ``locality``: "region.zone" of all of them, whatever their nodes say, in a Deployment beside
    the version's own (https://istio.io/latest/docs/reference/config/labels/).
    """
    labels = {"version": version} | ({LOCALITY_LABEL: locality} if locality else {})
    name = f"{HELLOWORLD}-{version}" + (f"-{locality.replace('.', '-')}" if locality else "")
    objects = _workload(namespace, name, HELLOWORLD, labels, HELLOWORLD, replicas=replicas)
    pod = objects[-1]["spec"]["template"]["spec"]
    pod["containers"][0]["env"] = [{"name": "SERVICE_VERSION", "value": version}]
    pod["topologySpreadConstraints"] = [
        {
            "topologyKey": ZONE_LABEL,
            "maxSkew": 1,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": HELLOWORLD, **labels}},
        }
    ]
    return objects


def ending_gracefully(objects: Sequence[Object], goes_on: int = _GOES_ON) -> list[Object]:
    """The same, but that pods of Deployments go on for some seconds after they were told to end, as
    those must that are to be restarted while they are called: proxies learn of it meanwhile
    (https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/). ``goes_on``: for
    how many, fewer than the half minute that they have to end."""
    found = deepcopy(list(objects))
    for one in found:
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            pod["terminationGracePeriodSeconds"] = _GRACE
            for container in pod["containers"]:
                container["lifecycle"] = {"preStop": {"sleep": {"seconds": goes_on}}}
    return found


def helloworld_service(
    namespace: str = NAMESPACE, name: str = HELLOWORLD, version: str | None = None
) -> Object:
    """A Service before helloworld; ``version``: before that one alone."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": HELLOWORLD}},
        "spec": {
            "selector": {"app": HELLOWORLD} | ({"version": version} if version else {}),
            # Named, so that a proxy need not sniff the protocol.
            "ports": [
                {"name": "http", "port": PORT, "targetPort": PORT},
                {"name": "tcp", "port": TCP_PORT, "targetPort": TCP_PORT},
            ],
        },
    }


def deploy_in(mesh: Mesh, cluster: RunningCluster, shell: Shell) -> None:
    """Deploy in one cluster what belongs there, and wait until it runs. Raises LabError."""
    topology, revision = mesh.deployment.topology, mesh.deployment.revision
    apply(cluster, [namespace_object(OUTSIDE, injected=False), *sleep_objects(OUTSIDE)])
    if cluster.name in topology.workloads:
        apply(cluster, [namespace_object(NAMESPACE, injected=True, revision=revision)])
        apply(cluster, [helloworld_service(), *sleep_objects()])
        names = {SLEEP}
        for one in topology.placements:
            if one.cluster == cluster.name:
                objects = helloworld_objects(one.version, one.replicas)
                upgraded = mesh.deployment.upgrade is not None
                apply(cluster, ending_gracefully(objects) if upgraded else objects)
                names.add(f"{HELLOWORLD}-{one.version}")
        await_rollout(cluster, NAMESPACE, names, shell)
    await_rollout(cluster, OUTSIDE, {SLEEP}, shell)


def _workload(
    namespace: str,
    name: str,
    app: str,
    labels: Mapping[str, str],
    program: str,
    *,
    replicas: int = 1,
    annotations: Mapping[str, str] | None = None,
) -> list[Object]:
    account = {"name": app, "namespace": namespace}
    container: Object = {"name": app, "image": WORKLOAD, "imagePullPolicy": "IfNotPresent"}
    container["command"] = [program]
    metadata = {"labels": {"app": app, **labels}, "annotations": dict(annotations or {})}
    spec = {
        "serviceAccountName": app,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app, **labels}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": app, **labels}},
            "template": {"metadata": metadata, "spec": spec},
        },
    }
    return [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}, deployment]
