"""What a user writes for a topology: taken from what meshproof itself installs, without the bench's
own settings (images, small requests, access logs)."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

import yaml

from meshproof.kube.objects import Object
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.exposure import exposed_objects
from meshproof.mesh.sketch import on_paper, ways_on_paper
from meshproof.model import Deployment, Member, Role
from meshproof.workloads.sample import SERVED

# What is nobody's but the bench's. The rest is what Istio's own pages have a user write.
_OURS = {
    "spec": ("hub", "tag"),
    "values.global": ("imagePullPolicy", "proxy", "meshNetworks"),
    "values": ("telemetry", "pilot", "gateways"),
    "meshConfig": (
        "accessLogFile",
        "accessLogEncoding",
        "accessLogFormat",
        "defaultConfig",
        "serviceSettings",
        "extensionProviders",
    ),
    "component.k8s": ("resources", "podAnnotations"),
}
_KEPT_OF_PILOT = ("LOCAL_CLUSTER_SECRET_WATCHER",)


def written_objects(deployment: Deployment) -> str:
    """Cluster by cluster what a user writes and runs, as Markdown."""
    plan = on_paper(deployment)
    texts = [
        "Made from what meshproof installs, without settings of the bench's own. Gateways and"
        " istiods have documentation's addresses (192.0.2.0/24), and `istioctl` runs with the"
        " kubeconfig of the cluster in whose section it stands."
    ]
    for member in deployment.topology.meshed:
        texts.append(f"### In {member.name}\n\n{_in_cluster(plan, member)}")
    return "\n\n".join(texts)


def _in_cluster(plan: Blueprint, member: Member) -> str:
    topology = plan.deployment.topology
    steps = [_namespace(plan, member), _install("istio.yaml", plan.control_plane(member))]
    if plan.has_address(member):
        steps.append(
            "An address for istiod, by which the clusters that it serves reach it: a Service of"
            " type LoadBalancer before `app: istiod`, ports 15012 and 15017."
        )
    if member.gateway is not None:
        steps.append("The east-west gateway:\n\n" + _install("gateway.yaml", plan.gateway(member)))
    objects = plan.beside_istiod(member) if member in topology.control_planes else []
    ways = partial(ways_on_paper, plan)
    objects += exposed_objects(topology, member.name, [SERVED], ways)
    if objects:
        where = (
            topology.config_cluster(member.name)
            if member in topology.control_planes
            else member.name
        )
        place = (
            "" if where == member.name else f" (in {where}, whose configuration this istiod reads)"
        )
        steps.append(f"Applied beside it{place}:\n\n{_yaml(*objects)}")
    if plan.is_config_cluster(member):
        steps.append(_config_secret(member))
    if readers := topology.readers(member.name):
        made = "\n".join(
            f"istioctl create-remote-secret --name {member.name}   # apply it in {reader}"
            for reader in readers
        )
        steps.append(
            f"So that istiod in {' and '.join(readers)} reads this cluster:\n\n```sh\n{made}\n```"
        )
    return "\n\n".join(steps)


def _config_secret(member: Member) -> str:
    """How an istiod outside comes to take a cluster for its own."""
    return (
        f"By which istiod in {member.primary} takes this cluster for its own; it goes there before"
        " istiod is installed, without the label `istio/multiCluster`:\n\n"
        f"```sh\nistioctl create-remote-secret --type config --name {member.name} \\\n"
        "  --service-account istiod --create-service-account=false"
        f"   # apply in {member.primary}\n```"
    )


def _namespace(plan: Blueprint, member: Member) -> str:
    topology = plan.deployment.topology
    labels = ["kubectl create namespace istio-system"]
    labels.append(
        f"kubectl label namespace istio-system topology.istio.io/network={member.network}"
    )
    if member.role is Role.REMOTE and not plan.is_config_cluster(member):
        owner = topology.config_cluster(member.primary)
        labels.append(
            "kubectl annotate namespace istio-system"
            f" topology.istio.io/controlPlaneClusters={owner}"
        )
    if member.role is not Role.REMOTE:
        labels.append(
            "kubectl create secret generic cacerts -n istio-system --from-file=ca-cert.pem"
            " --from-file=ca-key.pem --from-file=root-cert.pem --from-file=cert-chain.pem"
        )
    return f"```sh\n{chr(10).join(labels)}\n```"


def _install(name: str, document: Object) -> str:
    return f"`istioctl install -f {name}`:\n\n{_yaml(without_ours(document))}"


def without_ours(document: Object) -> Object:
    """What istioctl is told, without what only this bench wants; empty mappings go as well."""
    found = deepcopy(document)
    spec = found["spec"]
    values, mesh = spec.get("values", {}), spec.get("meshConfig", {})
    kept = {
        name: value
        for name, value in values.get("pilot", {}).get("env", {}).items()
        if name in _KEPT_OF_PILOT
    }
    _drop(spec, _OURS["spec"])
    _drop(values.get("global", {}), _OURS["values.global"])
    config_map = values.get("pilot", {}).get("configMap")
    _drop(values, _OURS["values"])
    if kept:
        values["pilot"] = {"env": kept}
    if config_map:
        values["pilot"] = {"configMap": config_map}
    _drop(mesh, _OURS["meshConfig"])
    for component in spec.get("components", {}).get("ingressGateways", []):
        _drop(component.get("k8s", {}), _OURS["component.k8s"])
    if not mesh:
        spec.pop("meshConfig", None)
    return found


def _drop(mapping: Object, names: tuple[str, ...]) -> None:
    for name in names:
        mapping.pop(name, None)


def _yaml(*objects: Object) -> str:
    text = "---\n".join(yaml.safe_dump(one, sort_keys=False, width=100) for one in objects)
    return f"```yaml\n{text.strip()}\n```"
