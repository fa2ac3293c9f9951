"""The catalogue that we ship: what each entry takes for its issue, and what it does not."""

from __future__ import annotations

import pytest

from meshproof.files import read_known_issues

BLOCKED = "60 s later instances in west are still called from east"
MISTAKE = "after a mistake in the secret was put right"
ZONES = "behind are 4 instances in 3 zones (meshproof/za: 1, meshproof/zb: 2, no zone: 1)"
GATEWAY = "in east the gateway 172.30.2.200:15443 weighs 1, not 4"
ALONE = "as much as the instances of one zone alone"

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
]
"""Words that were seen on Istio 1.31.1; those of names have tables in tests/claims."""

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
]
ELSEWHERE = {
    "names/dns-proxy-knows-remote-services",
    "names/dns-proxy-keeps-tcp-services-apart",
}
"""Judged with claims of a mesh in memory, in tests/claims/test_names.py."""


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
