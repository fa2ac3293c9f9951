"""The catalogue that we ship: what each entry takes for its issue, and what it does not."""

from __future__ import annotations

import pytest

from meshproof.files import read_known_issues

BLOCKED = "60 s later instances in west are still called from east"
MISTAKE = "after a mistake in the secret was put right"
ZONES = "behind are 4 instances in 3 zones (meshproof/za: 1, meshproof/zb: 2, no zone: 1)"
GATEWAY = "in east the gateway 172.30.2.200:15443 weighs 1, not 4"
ALONE = "as much as the instances of one zone alone"

LEASE = "Lease.coordination.k8s.io istio-system/istio-gateway"
WAY, POD = "172.30.2.200:15443", "10.10.0.9:5000"
SERVED = "whose istiod takes east for its own"
NC = "503 [NC cluster_not_found ]"
ITSELF = "itself, not the gateway"
PANIC = "runtime error: index out of range [1] with length 1"
ENDED = f"the istiod in {{}} ended in a panic: {PANIC}"
SEARCHED = "one.wildcards.test.sample.svc.cluster.local"
STAR = "*.wildcards.test, which is no name"
SHARED = (
    "in east shared.entries.test has 2 addresses, each with some of its ports: nobody answers at"
)
SECOND = (
    "in east a pod of west has a name, but not the one with the second port alone: "
    "pooled-second-west-0.pooled.sample.svc.cluster.local"
)

SHOWS = [
    ("secrets/put-right-counts", f"{BLOCKED}, {MISTAKE}"),
    ("secrets/mistake-is-forgiven", f"{BLOCKED}, {MISTAKE}"),
    ("weight/zones-behind-one-gateway-add-up", f"{GATEWAY}, {ALONE}; {ZONES}"),
    (
        "cleanup/istioctl-leaves-nothing",
        "ConfigMap istio-ca-crl is left in default, kube-system; "
        "ConfigMap istio-ca-root-cert is left in default, kube-system",
    ),
    ("cleanup/istioctl-leaves-nothing", "ConfigMap istio-ca-root-cert is left in default"),
    ("cleanup/helm-leaves-nothing", "ConfigMap istio-ca-root-cert is left in default"),
    ("upgrade/nothing-is-left", f"{LEASE}-deployment-1-31-0 in east"),
    (
        "upgrade/nothing-is-left",
        f"{LEASE}-deployment-1-31-0 in east; {LEASE}-status-leader-1-31-0 in east; "
        f"{LEASE}-deployment-1-31-0 in west",
    ),
    ("endpoints/unready-get-no-calls", f"east calls the gateway {WAY}, where no instance is ready"),
    ("priority/preferred-label-first", f"in east the gateway of v2 comes no earlier than {POD}"),
    ("entries/rule-to-an-alias", "40 were sent to nowhere"),
    ("entries/rule-to-an-alias", f"40 did not: 40 x 503 [NC]; such as call mp-1-0: {NC}"),
    ("entries/announced-on-their-network", f"west calls 10.10.0.5 of net-east {ITSELF} {WAY}"),
    ("entries/selected-pods-are-told", f"3 of 4 in west, {SERVED}, are not: a, b, c"),
    ("entries/two-sites-by-dns", f"the istiod in east ended in a panic: {PANIC}"),
    ("entries/two-sites-by-dns", f"{ENDED.format('east')}, {ENDED.format('west')}"),
    ("names/dns-proxy-answers-wildcards", f"in east {SEARCHED} is said to stand for {STAR}"),
    ("names/dns-proxy-joins-entries-of-a-host", f"{SHARED} 240.240.0.3:9001, 240.240.0.4:9000"),
    ("headless/pods-of-every-port", f"{SECOND} is NXDOMAIN"),
    (
        "ports/own-service-own-port",
        "in west 5001, which own-port has there, is not known, but 5000",
    ),
]
"""Words that were seen on Istio 1.31.1, but for those of upgrades and of Helm, which have not run
yet; those of names have tables in tests/claims."""

DOES_NOT = [
    # The first step: an istiod that does not forget, before any mistake.
    ("secrets/put-right-counts", BLOCKED),
    ("secrets/put-right-counts", "v1 did not answer either"),
    ("secrets/mistake-is-forgiven", "60 s after that it does not: east does not reach v2"),
    ("weight/zones-behind-one-gateway-add-up", f"{GATEWAY}; {ZONES}"),
    ("weight/zones-behind-one-gateway-add-up", "calls from east, answered by v2: 0 of 251 calls"),
    (
        "weight/zones-behind-one-gateway-add-up",
        f"{GATEWAY}, {ALONE}; {ZONES}; calls from east, answered by v2: 0 of 251 calls",
    ),
    (
        "cleanup/istioctl-leaves-nothing",
        "ConfigMap istio-ca-root-cert is left in default; ClusterRole istio-reader is left",
    ),
    (
        "cleanup/istioctl-leaves-nothing",
        "ConfigMap istio-ca-root-cert is left in default; Namespace kube-public is gone",
    ),
    (
        "cleanup/helm-leaves-nothing",
        "ConfigMap istio-ca-root-cert is left in default; "
        "CustomResourceDefinition.apiextensions.k8s.io *.networking.istio.io is left, 8 of them",
    ),
    (
        "upgrade/nothing-is-left",
        f"{LEASE}-deployment-1-31-0 in east; Deployment.apps istio-system/istiod-1-31-0 in east",
    ),
    (
        "upgrade/nothing-is-left",
        "EndpointSlice.discovery.k8s.io istio-system/other-1-31-0 in west",
    ),
    ("endpoints/unready-get-no-calls", f"east calls the pod {POD}, where no instance is ready"),
    ("endpoints/unready-get-no-calls", "30 answered otherwise: 30 x v2 from west"),
    ("priority/preferred-label-first", f"in east the pod of v2 comes no earlier than {POD}"),
    ("priority/preferred-label-first", "20 answered otherwise: 20 x v1 from east"),
    ("entries/rule-to-an-alias", "40 were sent to outbound|5000||alias.sample.svc.cluster.local"),
    ("entries/rule-to-an-alias", "40 did not: 40 x 503 [UF]; such as call mp-1-0: 503 [UF x ]"),
    ("entries/announced-on-their-network", f"west calls it at {POD}"),
    ("entries/selected-pods-are-told", "1 of 4 in east are not: a"),
    ("entries/selected-pods-are-told", f"none of 4 in west, {SERVED}, is told: a, b, c, d"),
    ("entries/two-sites-by-dns", "the istiod in east ended"),
    ("entries/two-sites-by-dns", "the istiod in east ended in a panic: assignment to nil map"),
    ("names/dns-proxy-answers-wildcards", "in east one.wildcards.test is NXDOMAIN"),
    (
        "names/dns-proxy-answers-wildcards",
        f"in east one.wildcards.test is said to stand for {STAR}",
    ),
    (
        "names/dns-proxy-joins-entries-of-a-host",
        "in east nobody answers at port 9001, whatever the address",
    ),
    ("ports/own-service-own-port", "6 did not: 6 x 503 [UH]; such as call mp-1-0: 503 [UH x ]"),
    (
        "headless/pods-of-every-port",
        "in east pooled-first-west-0.pooled.sample.svc.cluster.local is NXDOMAIN",
    ),
]
ELSEWHERE = {
    "names/dns-proxy-knows-remote-services",
    "names/dns-proxy-keeps-tcp-services-apart",
    "ambient/flag-leaves-sidecars-alone",
}
"""Judged with claims of a mesh in memory, in tests/claims/test_names.py and test_ambient.py."""


def shown(behaviour: str, observed: str) -> bool:
    issues = [one for one in read_known_issues() if one.behaviour == behaviour]
    return any(one.shows_in(observed) for one in issues)


@pytest.mark.parametrize(("behaviour", "observed"), SHOWS)
def test_what_an_issue_is_seen_by_is_known(behaviour: str, observed: str) -> None:
    assert shown(behaviour, observed)


@pytest.mark.parametrize(("behaviour", "observed"), DOES_NOT)
def test_anything_else_is_not(behaviour: str, observed: str) -> None:
    assert not shown(behaviour, observed)


def test_every_entry_is_seen_to_tell_its_issue_from_other_failures() -> None:
    entries = {one.behaviour for one in read_known_issues()}
    for table in (SHOWS, DOES_NOT):
        assert {behaviour for behaviour, _ in table} | ELSEWHERE == entries
