"""What Helm would install and what istioctl would, rendered by the programs themselves and compared
object by object, on every topology.

Where the store does not hold both programs and the charts, of the newest Istio, there is nothing to
render with: `meshproof verify mixed-networks` puts them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from meshproof.artifacts import Helm, Store, catalog
from meshproof.artifacts.gobuild import go_recipe
from meshproof.artifacts.helm import helm_there
from meshproof.files import topology_named, topology_names
from meshproof.mesh.helm_values import releases
from meshproof.mesh.operator_config import Document
from meshproof.model import VARIANTS, Member
from tests.mesh.test_helm_values import plan_of

from .rendering import by_helm, by_istioctl, differences, unexplained

DEBUG = (
    "the values themselves, kept for people to read, which neither istiod nor proxies do; each "
    "says how it was given them"
)
WEBHOOK = (
    "istioctl makes the default tag and its validator when it installs, after it has rendered: "
    'the chart "base" has the validator in itself'
)
REMOTE = (
    "Istio's page sets global.configCluster for Helm, and not for istioctl: istiod's account and "
    "rights, and its validator, which nothing in a remote uses"
)
CONTROL_PLANES = {
    r"ConfigMap/values\S* data:(original|merged)-values\..*": DEBUG,
    "ValidatingWebhookConfiguration/istiod-default-validator is in the second alone": WEBHOOK,
}
REMOTES = {
    **CONTROL_PLANES,
    r"(ClusterRole|ClusterRoleBinding)/istiod-\S+ is in the second alone": REMOTE,
    r"(Role|RoleBinding|ServiceAccount)/istiod\S* is in the second alone": REMOTE,
    r"ValidatingWebhookConfiguration/istio-validator-\S+ is in the second alone": REMOTE,
}
NAMES = "the two charts call the gateway's account, and its rights, differently"
MARKS = "labels by which istioctl knows its own, and that mean nothing to Istio"
SELECTED = (
    "istioctl's chart selects by all labels, also by the network's; app and istio are what "
    "Gateways, and we, select by"
)
PODS = (
    'the pod before it is injected: the template "gateway" gives both the same user, ports '
    "and sysctl"
)
GATEWAYS = {
    r"(Role|RoleBinding)/istio-eastwestgateway(-sds)? is in the (first|second) alone": NAMES,
    r"ServiceAccount/istio-eastwestgateway\S* is in the (first|second) alone": NAMES,
    r"Deployment/\S+ spec\.template\.spec\.serviceAccountName: .*": NAMES,
    r"\S+ \S*metadata\.labels\.(install\.)?operator\.istio\.io/\S+: .*, None": MARKS,
    r"\S+ spec\.template\.metadata\.labels\.(chart|heritage): .*": MARKS,
    r"\S+ metadata\.labels\.istio\.io/rev: .*, None": MARKS,
    r"\S+ (spec\.template\.)?metadata\.labels\.istio\.io/dataplane-mode: None, \"none\"": MARKS,
    r"\S+ spec\.template\.metadata\.labels\.service\.istio\.io/canonical-\S+: .*, None": MARKS,
    r"Deployment/\S+ metadata\.labels\.topology\.istio\.io/network: .*, None": SELECTED,
    r"\S+ spec\.selector\.(matchLabels\.)?(topology|networking)\.istio\.io/\S+: .*, None": SELECTED,
    r"Deployment/\S+ spec\.strategy\.rollingUpdate\.\S+: .*, None": "one replica either way",
    r"Deployment/\S+ spec\.template\.spec\.terminationGracePeriodSeconds: None, 30": "the default",
    r"Deployment/\S+ spec\.template\.spec\.(volumes|affinity|securityContext)\b\S*: .*": PODS,
    r"Deployment/\S+ \S+\[istio-proxy\]\.(ports|volumeMounts|securityContext)\S+: .*": PODS,
    r"Deployment/\S+ \S+\.env\[ISTIO_META_UNPRIVILEGED_POD\]\S+: .*, None": PODS,
    r"Service/\S+ spec\.ports\[\S+\]\.protocol: None, \"TCP\"": "the default",
}
"""How what Helm installs differs from what istioctl does, and why that is as it should be."""


@dataclass(frozen=True)
class Programs:
    istioctl: Path
    helm: Helm


@cache
def programs() -> Programs | None:
    """Those of the newest Istio that the store holds, as they are built; None where it does not."""
    known, store = catalog(), Store()
    built = go_recipe("istio", known.istio[-1]).recipe(known.companion("go"))
    istio, helm = store.find(built), helm_there(store, known.istio[-1])
    if istio is None or helm is None:
        return None
    return Programs(istio.file("istioctl"), helm)


def rendered(document: Document, folder: Path, *, kinds: bool = False) -> list[str]:
    """How what Helm would install differs from what istioctl would. ``kinds``: the definitions of
    kinds alone, which no value changes, and without them else."""
    found = programs()
    if found is None:
        pytest.skip("the store holds no istioctl and Helm of the newest Istio")
    charts = found.helm.charts[catalog().istio[-1]]
    made = by_helm(found.helm.program, charts, releases(document), folder, kinds=kinds)
    return differences(by_istioctl(found.istioctl, document, folder, kinds=kinds), made)


SHAPES = [
    (name, variant)
    for name in topology_names()
    for variant in ["", *(v.name for v in VARIANTS.values() if v.exists_on(topology_named(name)))]
]


@pytest.mark.parametrize(("name", "variant"), SHAPES)
def test_both_install_the_same(name: str, variant: str, tmp_path: Path) -> None:
    plan = plan_of(name, *filter(None, [variant]))
    for member in plan.deployment.topology.meshed:
        document = plan.control_plane(member)
        known = _known(document, member)
        assert unexplained(rendered(document, tmp_path), known) == [], member.name
        if member.gateway is not None:
            found = rendered(plan.gateway(member), tmp_path)
            assert unexplained(found, GATEWAYS) == [], member.name


def test_both_install_the_same_kinds(tmp_path: Path) -> None:
    plan = plan_of("primary-remote-flat")
    for member in plan.deployment.topology.meshed:
        assert rendered(plan.control_plane(member), tmp_path, kinds=True) == []


def _known(document: Document, member: Member) -> dict[str, str]:
    is_remote = document["spec"]["profile"] == "remote"
    already = document["spec"]["values"]["global"].get("configCluster", False)
    return REMOTES if is_remote and not already else CONTROL_PLANES
