"""The sample application of Istio's documents: sleep calls, helloworld answers with its version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from meshproof.errors import EvidenceError
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, apply
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import Workload, find_workload, list_workloads, spiffe
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.routes import host_of
from meshproof.process import Shell, side_by_side

NAMESPACE = "sample"
OUTSIDE = "outside"
"""The namespace of callers without a sidecar."""
PORT = 5000
SLEEP, HELLOWORLD = "sleep", "helloworld"
VERSIONS = ("v1", "v2")
HOST = host_of(HELLOWORLD, NAMESPACE)
SNI = sni_of(HOST, PORT)
"""What sidecars ask for by TLS: a service and its port, so that gateways can tell."""
CALLER_IDENTITY, WORKLOAD_IDENTITY = spiffe(NAMESPACE, SLEEP), spiffe(NAMESPACE, HELLOWORLD)
"""Those of sleep and of helloworld."""


@dataclass
class Sample:
    """sleep and helloworld on a mesh. ``plan``: the cluster that each version belongs into."""

    mesh: Mesh
    plan: Mapping[str, str]
    callers: dict[tuple[str, str], Workload] = field(default_factory=dict)

    @property
    def clusters(self) -> tuple[str, ...]:
        """The clusters in which workloads run, and calls are made."""
        return self.mesh.deployment.topology.workloads

    def caller(self, cluster: str, app: str = SLEEP, namespace: str = NAMESPACE) -> Workload:
        """The sleep (or another app's pod that can call) of a cluster."""
        key = (cluster, f"{namespace}/{app}")
        if key not in self.callers:
            self.callers[key] = find_workload(self.mesh.cluster(cluster), app, namespace)
        return self.callers[key]

    def outsider(self, cluster: str) -> Workload:
        """A caller without a sidecar."""
        return self.caller(cluster, namespace=OUTSIDE)

    def servers(self, namespace: str = NAMESPACE) -> dict[str, Workload]:
        """The helloworld pods of all clusters that have an address now, by name."""
        clusters = [self.mesh.cluster(name) for name in self.clusters]
        found = side_by_side(
            self.mesh.shell, lambda one: list_workloads(one, HELLOWORLD, namespace), clusters
        )
        return {server.name: server for servers in found for server in servers}

    def every_server(self) -> list[Workload]:
        """The helloworld pods of all clusters now. Raises EvidenceError when a version has none:
        what holds for all pods would hold for it, too."""
        found = list(self.servers().values())
        if missing := self.plan.keys() - {one.version for one in found}:
            raise EvidenceError(f"no pod of {', '.join(sorted(missing))} is there to be judged")
        return found

    def server(self, version: str) -> Workload:
        """One pod of a version. Raises StopIteration when there is none."""
        return next(one for one in self.servers().values() if one.version == version)

    def remote_version(self, caller: str) -> str:
        """A version that runs in another cluster than ``caller``."""
        return next(version for version, cluster in self.plan.items() if cluster != caller)

    def local_version(self, caller: str) -> str:
        """The version that runs in the caller's own cluster."""
        return next(version for version, cluster in self.plan.items() if cluster == caller)


def deploy_sample(mesh: Mesh) -> Sample:
    """Deploy sleep and the helloworld Service in all clusters that have workloads, v1 in the
    first and v2 in the second, and wait until they run.

    Raises LabError with the reason when something will not.
    """
    sample = adopt_sample(mesh)
    by_cluster = {cluster: version for version, cluster in sample.plan.items()}
    with mesh.lab.recorder.step("deploy sleep and helloworld"):
        running = [mesh.cluster(name) for name in sample.clusters]
        shell = mesh.shell
        side_by_side(
            shell, lambda one: _deploy(mesh, one, by_cluster.get(one.name), shell), running
        )
    return sample


def adopt_sample(mesh: Mesh) -> Sample:
    """The sample as it is planned, for a mesh on which it runs already."""
    return Sample(mesh, dict(zip(VERSIONS, mesh.deployment.topology.workloads, strict=False)))


def namespace_object(name: str, *, injected: bool, revision: str = "") -> Object:
    """A namespace whose pods get a sidecar, or do not. ``revision``: whose istiod's they get."""
    labels = {"istio.io/rev": revision} if revision else {"istio-injection": "enabled"}
    labels = labels if injected else {}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def sleep_objects(
    image: str,
    namespace: str = NAMESPACE,
    name: str = SLEEP,
    annotations: Mapping[str, str] | None = None,
) -> list[Object]:
    """A pod that does nothing, from which calls are made."""
    command = ["/bin/sleep", "infinity"]
    return _workload(namespace, name, name, {}, image, command=command, annotations=annotations)


def helloworld_objects(
    image: str, version: str, namespace: str = NAMESPACE, replicas: int = 1
) -> list[Object]:
    """The Deployment of one version of helloworld."""
    return _workload(
        namespace,
        f"{HELLOWORLD}-{version}",
        HELLOWORLD,
        {"version": version},
        image,
        replicas=replicas,
    )


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
                {"name": "tcp", "port": 9000, "targetPort": 9000},
            ],
        },
    }


def _deploy(mesh: Mesh, cluster: RunningCluster, version: str | None, shell: Shell) -> None:
    sleep = mesh.bundle.images["sleep"]
    revision = mesh.deployment.revision
    apply(cluster, [namespace_object(NAMESPACE, injected=True, revision=revision)])
    apply(cluster, [namespace_object(OUTSIDE, injected=False)])
    apply(cluster, [helloworld_service(), *sleep_objects(sleep), *sleep_objects(sleep, OUTSIDE)])
    names = {SLEEP}
    if version is not None:
        image = mesh.bundle.images[f"helloworld-{version}"]
        apply(cluster, helloworld_objects(image, version))
        names.add(f"{HELLOWORLD}-{version}")
    await_rollout(cluster, NAMESPACE, names, shell)
    await_rollout(cluster, OUTSIDE, {SLEEP}, shell)


def _workload(
    namespace: str,
    name: str,
    app: str,
    labels: Mapping[str, str],
    image: str,
    *,
    command: list[str] | None = None,
    replicas: int = 1,
    annotations: Mapping[str, str] | None = None,
) -> list[Object]:
    account = {"name": app, "namespace": namespace}
    container: Object = {"name": app, "image": image, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": command} if command else {}
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
