"""What the network between clusters of one's own is: who reaches whom, and whose address is seen
there. Asked by pods of ours before anything is installed, and compared with what a topology says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from meshproof.artifacts.images import WORKLOAD
from meshproof.errors import LabError, WaitFailedError, WaitTimeoutError
from meshproof.kube import client
from meshproof.kube.asking import Question, Reply, ask
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.foreign import OWN_NAMESPACE
from meshproof.kube.objects import Object, apply, would_be
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import NODE_PROBE, PodWorkload, find_workload
from meshproof.lab.base import Addresses
from meshproof.model import Flow, Pair, Wiring
from meshproof.wait import eventually

PROBE, NAMESPACE = NODE_PROBE, OWN_NAMESPACE
"""The pod that asks, and is asked, in the place of what asks from nodes where these are ours."""
_PORT, _OUTER = 8080, 15443
"""Where it listens, and by which port its LoadBalancer leads there: that of gateways."""
_PATIENCE = 5.0
_RUNS_WITHIN, _ANSWERS_WITHIN, _LEADS_WITHIN = 120.0, 60.0, 60.0
_NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
_REFUSED = ("exceeded quota", "violates PodSecurity", "admission webhook")
"""What a controller is told that makes a pod, where policies are against it."""
_HOPELESS = (*_NO_IMAGE, *_REFUSED)
_REMEDY = (
    "let its policies (PodSecurity, quotas, admission webhooks) pass pods with NET_ADMIN and "
    "NET_RAW in namespaces that bear the label meshproof.io/lab"
)
_NOBODY = 65532


@dataclass(frozen=True, slots=True)
class Reach:
    """What a cluster's pod reached of another cluster. ``heard``: the address that the other's pod
    saw, "" where it was not reached at its own address; ``own``: the caller's; ``gateway`` and
    ``api``: whether an answer came from a LoadBalancer Service, and from the API server; None where
    there was none to be asked."""

    own: IPv4Address
    heard: str = ""
    gateway: bool | None = None
    api: bool | None = None

    @property
    def flat(self) -> bool:
        """Whether pods are reached at their own addresses."""
        return bool(self.heard)

    @property
    def masqueraded(self) -> bool:
        """Whether another address than the caller's was seen."""
        return self.flat and self.heard != str(self.own)

    def __str__(self) -> str:
        pods = "not its pods"
        if self.flat:
            pods = f"its pods, which see {'its node' if self.masqueraded else 'its own address'}"
            pods += f" ({self.heard})" if self.masqueraded else ""
        others = {"gateways": self.gateway, "API server": self.api}
        known = {what: got for what, got in others.items() if got is not None}
        words = [f"{'' if got else 'not '}its {what}" for what, got in known.items()]
        return ", ".join([pods, *words])


@dataclass(frozen=True)
class Probed:
    """``reached``: by ordered pair; ``without``: by cluster why its load balancer gave nothing."""

    reached: Mapping[Pair, Reach]
    without: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return "; ".join(
            f"{one} reaches of {other} {it}" for (one, other), it in self.reached.items()
        )


def deploy_probe(cluster: RunningCluster) -> PodWorkload:
    """Have the probe in a cluster, and wait until it runs. Raises LabError, one sentence with what
    is in its way: an image that nodes cannot have, a policy, a quota, no room."""
    with _admitted(cluster):
        apply(cluster, _objects(cluster.name))
    try:
        with lab_errors(f"start a probe in {cluster.name}"):
            eventually(
                lambda: _state(cluster),
                until=lambda said: said == "Running",
                fail_if=lambda said: said if any(one in said for one in _HOPELESS) else None,
                what=f"a probe in {cluster.name}",
                within=_RUNS_WITHIN,
                every=0.5,
            )
    except (WaitFailedError, WaitTimeoutError) as error:
        by_policy = any(one in error.cause for one in _REFUSED)
        raise LabError(error.cause, _REMEDY if by_policy else error.remedy) from None
    with _admitted(cluster):  # now that the namespace has its account, which pods need
        would_be(cluster, _as_injected())
    return find_workload(cluster, PROBE, NAMESPACE)


@contextmanager
def _admitted(cluster: RunningCluster) -> Iterator[None]:
    """Say of what a cluster refuses inside the block who is to let it pass."""
    try:
        yield
    except LabError as error:
        raise LabError(
            f"cluster {cluster.name} does not take our pods: {error.cause}",
            _REMEDY,
        ) from error


def probe_network(
    clusters: Mapping[str, RunningCluster],
    probes: Mapping[str, PodWorkload],
    addresses: Mapping[str, Addresses],
) -> Probed:
    """Who reaches whom. Raises LabError where a probe does not reach itself, or its own cluster's
    API server: what it does not reach elsewhere would prove nothing then."""
    outer: dict[str, IPv4Address] = {}
    without: dict[str, str] = {}
    for name in clusters:
        try:
            outer[name] = addresses[name].give(NAMESPACE, PROBE)
        except LabError as error:
            without[name] = str(error)
    for name, probe in probes.items():
        _check_itself(name, probe)
    reached = {
        (caller, called): _reach(
            probes[caller], clusters[called], probes[called], outer.get(called)
        )
        for caller in probes
        for called in probes
        if caller != called
    }
    return Probed(reached, without)


def differences(wiring: Wiring, probed: Probed) -> tuple[list[str], list[str]]:
    """How the network is not as a topology says: what no mesh of it can work with, and what it can,
    each in a sentence."""
    wrong: list[str] = []
    other: list[str] = []
    needs_gateways = any(not wiring.is_flat(*pair) for pair in probed.reached)
    for name, why in probed.without.items():
        (wrong if needs_gateways else other).append(f"{name} has no load balancer: {why}")
    for pair, reach in probed.reached.items():
        caller, called = pair
        flows = wiring.between(*pair)
        if Flow.POD in flows and not reach.flat:
            wrong.append(
                f"{wiring.name} has {caller} and {called} on one network, and pods of {caller} do "
                f"not reach pods of {called}"
            )
        if Flow.POD in flows and reach.masqueraded:
            other.append(
                f"{called}'s pods see {reach.heard} in place of {caller}'s pod {reach.own}: "
                "packets are masqueraded between them"
            )
        if Flow.POD not in flows and reach.flat:
            other.append(
                f"{wiring.name} has {caller} and {called} on two networks, and pods of {caller} "
                f"reach pods of {called} at their own addresses: it is one network"
            )
        if Flow.POD not in flows and reach.gateway is False:
            wrong.append(
                f"pods of {caller} do not reach the load balancer of {called}, by which gateways "
                "are reached"
            )
        if Flow.API in flows and reach.api is False:
            wrong.append(
                f"pods of {caller} do not reach the API server of {called}, which its istiod "
                "reads ('api:' in the file of clusters names another way to it)"
            )
    return wrong, other


def _reach(
    asker: PodWorkload, called: RunningCluster, there: PodWorkload, outer: IPv4Address | None
) -> Reach:
    direct = ask(asker, _greeting(f"{there.address}:{_PORT}"))
    gateway = None
    if outer is not None:
        gateway = _answered(asker, f"{outer}:{_OUTER}", called.name)
    url = urlsplit(called.server)
    knock = Question("tls", _PATIENCE, f"{url.hostname}:{url.port or 443}")
    # Who answers by TLS is there, whatever it thinks of us.
    api = bool(ask(asker, knock).chain)
    return Reach(asker.address, _says(direct, called.name) or "", gateway, api)


def _answered(asker: PodWorkload, address: str, name: str) -> bool:
    """Whether a cluster's probe answers by its load balancer, which may have an address before it
    leads anywhere."""
    try:
        eventually(
            lambda: _says(ask(asker, _greeting(address)), name),
            until=lambda heard: heard is not None,
            what=f"an answer at {address}",
            within=_LEADS_WITHIN,
            every=1.0,
        )
    except WaitTimeoutError:
        return False
    return True


def _greeting(address: str) -> Question:
    return Question("tcp", _PATIENCE, address, b"\n")


def _says(reply: Reply, name: str) -> str | None:
    """Whom the probe of a cluster says that it hears; None where nobody, or another, has answered:
    clusters whose ranges overlap have two pods of one address."""
    said = reply.payload.decode(errors="replace").split()
    return said[2] if reply.failure is None and said[:2] == [name, "hears"] else None


def _check_itself(name: str, probe: PodWorkload) -> None:
    own = _greeting(f"{probe.address}:{_PORT}")
    eventually(
        lambda: _says(ask(probe, own), name),
        until=lambda heard: heard is not None,
        what=f"an answer of the probe in {name} to itself",
        within=_ANSWERS_WITHIN,
        every=0.5,
    )


def _state(cluster: RunningCluster) -> str:
    """The phase of the probe's pod, or what keeps it from running."""
    pods = cluster.core.list_namespaced_pod(NAMESPACE, label_selector=f"app={PROBE}").items
    if not pods:
        return _refused(cluster)
    status = pods[0].status
    for one in status.container_statuses or ():
        if one.state is not None and one.state.waiting is not None:
            told = one.state.waiting
            image = (
                f" ({one.image}: name one by --workload-images, as 'meshproof artifacts push "
                "REGISTRY' prints it)"
                if told.reason in _NO_IMAGE
                else ""
            )
            return f"{told.reason}: {told.message or ''}{image}"
    unscheduled = [one.message for one in status.conditions or () if one.status == "False"]
    ready = status.phase == "Running" and status.pod_ip
    return "Running" if ready else next(filter(None, unscheduled), status.phase)


def _refused(cluster: RunningCluster) -> str:
    """Why there is no pod: what the Deployment's controller was told."""
    apps = client.AppsV1Api(cluster.api)
    conditions = apps.read_namespaced_deployment(PROBE, NAMESPACE).status.conditions or []
    said = [one.message for one in conditions if one.type == "ReplicaFailure" and one.message]
    return said[0] if said else "no pod yet"


def _objects(name: str) -> list[Object]:
    labels = {"app": PROBE}
    container = {
        "name": PROBE,
        "image": WORKLOAD,
        "imagePullPolicy": "IfNotPresent",
        "command": ["probe", "echo", "--tcp", str(_PORT), name],
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    metadata = {"name": PROBE, "namespace": NAMESPACE}
    ports = [{"name": "tcp-probe", "port": _OUTER, "targetPort": _PORT}]
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"type": "LoadBalancer", "selector": labels, "ports": ports},
        },
    ]


def _as_injected() -> Object:
    """A pod as Istio's injection makes them: its init container writes the pod's rules
    (https://istio.io/latest/docs/ops/deployment/application-requirements/#pod-requirements)."""
    init = {
        "name": "istio-init",
        "image": WORKLOAD,
        "command": ["sleep"],
        "securityContext": {
            "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
            "runAsNonRoot": False,
            "runAsUser": 0,
        },
    }
    spec = {
        "automountServiceAccountToken": False,
        "initContainers": [init],
        "containers": [{"name": "app", "image": WORKLOAD, "command": ["sleep"]}],
    }
    metadata = {"name": "as-injected", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
