"""The programs of a host: Flux's controllers and a registry, as objects, as their own manifests
have them (``config/`` of each module) but for what a host without a way out does not need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import yaml

from meshproof.artifacts import HostArtifacts
from meshproof.artifacts.host import CONTROLLERS, KUSTOMIZE, REGISTRY, SOURCE
from meshproof.errors import LabError, MeshproofError
from meshproof.host.rbac import account_subject, binding
from meshproof.host.tenants import DOORS, namespace
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, apply, await_absence, delete, read
from meshproof.kube.rollout import await_rollout
from meshproof.lab import Lab
from meshproof.process import Shell
from meshproof.wait import eventually

SYSTEM = "flux-system"
"""The namespace that Flux's own documents have for it."""
_ARCHIVE = "/kind/host-images.tar"
_IMPORT = (
    *("ctr", "-n", "k8s.io", "images", "import"),
    *("--label=io.cri-containerd.pinned=pinned", "--no-unpack"),
)
_IMPORT_TIMEOUT = 180.0
_KINDS_WITHIN = 30.0
_COMMON = ["--watch-all-namespaces", "--log-encoding=json", "--enable-leader-election=false"]
# "Multi-tenancy lockdown" of https://fluxcd.io/flux/installation/configuration/multitenancy/.
_ARGUMENTS = {
    KUSTOMIZE: [
        *_COMMON,
        "--no-cross-namespace-refs=true",
        "--no-remote-bases=true",
        "--default-service-account=default",
        "--requeue-dependency=2s",
    ],
    SOURCE: [
        *_COMMON,
        "--storage-path=/data",
        f"--storage-adv-addr={SOURCE}.{SYSTEM}.svc.cluster.local.",
    ],
    REGISTRY: ["serve", "/etc/registry/config.yml"],
}
_REGISTRY_CONFIG = {
    "version": 0.1,
    "log": {"level": "warn", "accesslog": {"disabled": True}},
    "storage": {"filesystem": {"rootdirectory": "/data"}},
    "http": {"addr": ":5000"},
}
_HEALTH = 9440
_PORTS = {SOURCE: 9090, REGISTRY: 5000}
"""Where they are called by Services of their names."""


@contextmanager
def running_programs(
    lab: Lab, name: str, members: Iterable[str], artifacts: HostArtifacts
) -> Iterator[None]:
    """The programs of a host run in the cluster of that name inside the block; afterwards nothing
    is left of them there, nor in members of what all that is pushed stands on.

    Raises LabError with the reason when they do not come about.
    """
    host, managed = lab.clusters[name], [lab.clusters[one] for one in members]

    def stop() -> None:
        delete(host, [namespace(SYSTEM), *left_by_programs(artifacts)])
        for one in managed:
            delete(one, [namespace(DOORS)])
        for where, gone in [(host, SYSTEM), *((one, DOORS) for one in managed)]:
            await_absence(where, gone)

    try:
        start(lab, name, artifacts)
    except MeshproofError:
        with suppress(MeshproofError):  # why they did not start is what is told
            stop()
        raise
    try:
        yield
    finally:
        with lab.recorder.step(f"stop what {name} manages members by"):
            stop()


def start(lab: Lab, name: str, artifacts: HostArtifacts) -> None:
    """Start the programs of a host in the cluster of that name, whose nodes get their images.
    Raises LabError with the reason when they will not be ready."""
    with lab.recorder.step(f"start what {name} manages members by"):
        load_images(lab, name, artifacts)
        start_programs(lab.clusters[name], artifacts, Shell(lab.recorder))


def load_images(lab: Lab, cluster: str, artifacts: HostArtifacts) -> None:
    """Let a cluster's nodes have the images. Raises CommandError."""
    running = lab.clusters[cluster]
    for node in running.nodes:
        lab.engine.copy_in(artifacts.archive, node.container, _ARCHIVE)
        running.on_node(node, *_IMPORT, _ARCHIVE, timeout=_IMPORT_TIMEOUT)
        running.on_node(node, "rm", _ARCHIVE)


def start_programs(host: RunningCluster, artifacts: HostArtifacts, shell: Shell) -> None:
    """Start the programs in a cluster whose nodes have their images, and wait until they are
    ready. Raises LabError with the reason when they will not be."""
    kinds = kind_objects(artifacts)
    apply(host, kinds)
    eventually(
        lambda: [one["metadata"]["name"] for one in kinds if not _is_served(read(host, one))],
        until=lambda missing: not missing,
        what=f"the controllers' kinds in {host.name}",
        within=_KINDS_WITHIN,
    )
    apply(host, program_objects(artifacts))
    await_rollout(host, SYSTEM, {*CONTROLLERS, REGISTRY}, shell)


def kind_objects(artifacts: HostArtifacts) -> list[Object]:
    """The kinds of objects that the controllers are told by. Raises LabError for a file that has
    none."""
    found = []
    for path in artifacts.kinds:
        documents = yaml.safe_load_all(path.read_text(encoding="utf-8"))
        found += [one for one in documents if one]
    if not found:
        raise LabError("Flux came without the kinds of its objects", "build the artifacts anew")
    return found


def program_objects(artifacts: HostArtifacts) -> list[Object]:
    """All else: the namespace, accounts with their roles, and the programs."""
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": REGISTRY, "namespace": SYSTEM},
        "data": {"config.yml": yaml.safe_dump(_REGISTRY_CONFIG)},
    }
    objects: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}},
        config,
    ]
    for name in (*CONTROLLERS, REGISTRY):
        objects.append(_named("v1", "ServiceAccount", name))
        if name in artifacts.roles:
            objects += _role_objects(name, artifacts)
        objects.append(_deployment(name, artifacts.images[name]))
        if name in _PORTS:
            objects.append(_service(name))
    return objects


def left_by_programs(artifacts: HostArtifacts) -> list[Object]:
    """What the programs have outside their namespace, which goes when they do."""
    roles = [one for one in program_objects(artifacts) if one["kind"].startswith("ClusterRole")]
    return [*reversed(roles), *kind_objects(artifacts)]


def _role_objects(name: str, artifacts: HostArtifacts) -> list[Object]:
    (role,) = filter(None, yaml.safe_load_all(artifacts.roles[name].read_text(encoding="utf-8")))
    bound = binding("ClusterRole", name, "", account_subject(name, SYSTEM))
    return [{**role, "metadata": {"name": name}}, bound]


def _deployment(name: str, image: str) -> Object:
    ready: dict[str, Any] = {"tcpSocket": {"port": _PORTS[name]}} if name == REGISTRY else {}
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": _ARGUMENTS[name],
        "env": [
            {
                "name": "RUNTIME_NAMESPACE",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
            },
            # The registry would look for a collector of traces.
            {"name": "OTEL_TRACES_EXPORTER", "value": "none"},
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "readinessProbe": {
            **(ready or {"httpGet": {"port": _HEALTH, "path": "/readyz"}}),
            "periodSeconds": 1,
        },
        "volumeMounts": [
            {"name": "temporary", "mountPath": "/tmp"},  # noqa: S108 (in the container)
            {"name": "data", "mountPath": "/data"},
            *([{"name": "config", "mountPath": "/etc/registry"}] if name == REGISTRY else []),
        ],
    }
    volumes: list[Object] = [{"name": one, "emptyDir": {}} for one in ("temporary", "data")]
    if name == REGISTRY:
        volumes.append({"name": "config", "configMap": {"name": REGISTRY}})
    pod = {
        "serviceAccountName": name,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"fsGroup": 1337},
        "containers": [container],
        "volumes": volumes,
    }
    labels = {"app": name}
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    return {**_named("apps/v1", "Deployment", name), "spec": spec}


def _service(name: str) -> Object:
    # Its artifacts' addresses have no port.
    port = 80 if name == SOURCE else _PORTS[name]
    ports = [{"name": "http", "port": port, "targetPort": _PORTS[name]}]
    return {**_named("v1", "Service", name), "spec": {"selector": {"app": name}, "ports": ports}}


def _named(version: str, kind: str, name: str) -> Object:
    metadata = {"name": name, "namespace": SYSTEM}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _is_served(definition: Object | None) -> bool:
    conditions = ((definition or {}).get("status") or {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)
