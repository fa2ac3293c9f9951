"""What Helm is told: releases that come to the same as an IstioOperator document, as plain data.

The charts are those that istioctl has in itself, but for the gateway's
(https://istio.io/latest/docs/setup/install/helm/). Where Istio's pages on multicluster have a tab
for Helm, releases, names and values are those of the tab; an istiod outside has none there, and is
translated as istioctl does it (translateIstioOperatorToHelm in operator/pkg/render of Istio).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from meshproof.mesh.operator_config import GATEWAY, NETWORK_LABEL, Document

BASE, ISTIOD, EAST_WEST = "base", "istiod", "gateway"
"""Istio's charts, by the names that its repository has them under."""
_NETWORK_VIEW = "ISTIO_META_REQUESTED_NETWORK_VIEW"
_REMOTE = "remote"
_TLS = "tls"


@dataclass(frozen=True, slots=True)
class Release:
    """A chart that is installed under a name, with its values."""

    name: str
    chart: str
    values: Document


def releases(document: Document) -> list[Release]:
    """The releases of one IstioOperator document, in the order in which they are installed."""
    spec = document["spec"]
    found = []
    if spec["profile"] != "empty":
        found.append(Release("istio-base", BASE, _base(spec)))
    if spec["profile"] != "empty" or _has_istiod(spec):
        revision = spec.get("revision", "")
        found.append(Release(f"istiod-{revision}" if revision else "istiod", ISTIOD, _istiod(spec)))
    gateways = spec.get("components", {}).get("ingressGateways", [])
    return found + [
        Release(one["name"], EAST_WEST, _gateway(spec, one)) for one in gateways if one["enabled"]
    ]


def _base(spec: Mapping[str, Any]) -> Document:
    """The kinds, the account of remote secrets, and the webhook that validates configuration, which
    a revision has to be named for
    (https://istio.io/latest/docs/setup/upgrade/helm/#canary-upgrade-recommended)."""
    remote = spec["profile"] == _REMOTE
    outside = remote or spec["values"]["global"].get("externalIstiod", False)
    return {
        **_profile(spec),
        "defaultRevision": spec.get("revision") or "default",
        "global": {"externalIstiod": outside},
    }


def _istiod(spec: Mapping[str, Any]) -> Document:
    values = {name: deepcopy(one) for name, one in spec["values"].items() if name != "gateways"}
    values["global"] |= {"hub": spec["hub"], "tag": spec["tag"]}
    if "meshConfig" in spec:
        values["meshConfig"] = deepcopy(spec["meshConfig"])
    if spec.get("revision"):
        values["revision"] = spec["revision"]
    if spec["profile"] == _REMOTE and not values["global"].get("configCluster"):
        # As https://istio.io/latest/docs/setup/install/multicluster/primary-remote/ has it for
        # Helm, though nothing asks for istiod's own account in a cluster that has none.
        values["global"]["configCluster"] = True
        pilot = values.setdefault("pilot", {})
        pilot["enabled"] = False
        pilot.setdefault("env", {})["EXTERNAL_ISTIOD"] = "true"
    return {**_profile(spec), **values}


def _gateway(spec: Mapping[str, Any], component: Mapping[str, Any]) -> Document:
    """The chart "gateway" instead of the one that istioctl has: it names the network itself."""
    k8s, labels = component["k8s"], dict(component["label"])
    network, env = labels.pop(NETWORK_LABEL, ""), {one["name"]: one["value"] for one in k8s["env"]}
    own = spec["values"]["gateways"]["istio-ingressgateway"]
    values: Document = {
        "name": component["name"],
        "labels": labels,
        "podAnnotations": {
            **k8s["podAnnotations"],
            "inject.istio.io/templates": own["injectionTemplate"],
        },
        "resources": k8s["resources"],
        "autoscaling": {"enabled": own["autoscaleEnabled"]},
        "imagePullPolicy": spec["values"]["global"]["imagePullPolicy"],
    }
    if spec.get("revision"):
        values["revision"] = spec["revision"]
    if not network:
        return {**values, "env": env, "service": {"ports": k8s["service"]["ports"]}}
    del env[_NETWORK_VIEW]  # the chart sets it
    others = {"env": env} if env else {}
    return {**values, **others, "networkGateway": network, **_other_ports(k8s)}


def _other_ports(k8s: Mapping[str, Any]) -> Document:
    """The port by which other networks come in, where it is not the usual one: charts before 1.30
    know no other, and their schema refuses this."""
    tls = next(one for one in k8s["service"]["ports"] if one["name"] == _TLS)
    if tls["port"] == tls["targetPort"]:
        return {}
    return {"networkGatewayPorts": {_TLS: {"port": tls["port"], "targetPort": tls["targetPort"]}}}


def _profile(spec: Mapping[str, Any]) -> Document:
    return {"profile": _REMOTE} if spec["profile"] == _REMOTE else {}


def _has_istiod(spec: Mapping[str, Any]) -> bool:
    return bool(spec.get("components", {}).get("pilot", {}).get("enabled", False))


def gateway_account(*, by_helm: bool) -> str:
    """The service account of the gateway: istioctl's chart and Helm's name it differently."""
    return GATEWAY if by_helm else f"{GATEWAY}-service-account"
