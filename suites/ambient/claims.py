"""What is claimed of a mesh of sidecars whose istiods have ambient's settings, for sabotage too.

The flags are https://istio.io/latest/docs/ambient/install/multicluster/multi-primary_multi-network/.
"""

from __future__ import annotations

from collections.abc import Collection

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    went_through,
)
from meshproof.expect.control import as_control
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.connected import rejections
from meshproof.traffic.settle import arrive, reachable
from meshproof.workloads.sample import HELLOWORLD, HOST, PORT, Sample

FLAGS = {"PILOT_ENABLE_AMBIENT": "true", "AMBIENT_ENABLE_MULTI_NETWORK": "true"}
"""Without the first the second is not heeded."""
GLOBAL = {
    "serviceScopeConfigs": [
        {"servicesSelector": {"matchLabels": {"app": HELLOWORLD}}, "scope": "GLOBAL"}
    ]
}
"""What a mesh's configuration says of helloworld as a service of all clusters. Ambient takes others
for those of their own cluster alone:
https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ServiceScopeConfigs"""
SIGN = "connect_originate"
"""A listener that proxies are given by istiods with ambient enabled, and by no others."""


def sidecars_go_on(sample: Sample, caller: str) -> Verdict:
    """A sidecar knows helloworld where it should, and its calls go there and are answered by every
    version, though it has taken its configuration from an istiod with ambient's settings."""
    due, own = _due(sample, caller), _due(sample, caller, {caller})
    known = _known(sample, caller)
    times = calls_to_meet(sample.smallest_share)
    responses = call(sample, sample.caller(caller), Plan(times=times))
    reached = reachable(sample, caller)
    if known == own != due:
        # Who knows nobody else calls nobody else: one thing is wrong, and is told once.
        reached = {version: home for version, home in reached.items() if home == caller}
    return all_of(
        [
            _knows(caller, known, due, own),
            answered_from_home(responses, reached),
            went_through(responses, due, "helloworld's ways"),
        ]
    )


def await_known(sample: Sample) -> None:
    """Wait until every sidecar knows helloworld where it should, as far as it does within half a
    minute."""
    arrive(
        sample.mesh,
        lambda: all(_known(sample, one) == _due(sample, one) for one in sample.clusters),
        what="helloworld as a global service",
    )


def settings_took_effect(sample: Sample) -> Verdict:
    """Each caller's proxy has what istiods with ambient enabled give, and none, gateways included,
    has rejected anything: else nothing that it does tells of these settings."""
    lacking = [
        name for name in sample.clusters if SIGN not in in_use(sample.caller(name), LISTENERS)
    ]
    refused = rejections(sample)
    told = [f"no listener {SIGN} in sleep's proxy of {', '.join(lacking)}"] if lacking else []
    expected = f"proxies to take listener {SIGN}, and to reject nothing"
    outcome = Outcome.FAIL if told or refused else Outcome.PASS
    return as_control(Verdict(outcome, expected, "; ".join([*told, *refused]) or "they did"))


def _due(sample: Sample, caller: str, clusters: Collection[str] | None = None) -> set[str]:
    """Where a cluster's sidecars should call helloworld, in some clusters or in all that its istiod
    knows of."""
    found = [one for one in sample.every_server() if sample.topology.knows(caller, one.cluster)]
    wanted = [one for one in found if clusters is None or one.cluster in clusters]
    return {str(way) for one in wanted for way in sample.ways(caller, one)}


def _known(sample: Sample, caller: str) -> set[str]:
    found = endpoints(sample.caller(caller), outbound(HOST, PORT))
    return {f"{one.address}:{one.port}" for one in found}


def _knows(caller: str, known: set[str], due: set[str], own: set[str]) -> Verdict:
    expected = f"the proxy of sleep in {caller} to know {', '.join(sorted(due))}"
    if known == due:
        return Verdict(Outcome.PASS, expected, f"in {caller} it does")
    told = ", ".join(sorted(known)) or "nobody"
    alone = "its own cluster's instances alone: " if known == own and own else ""
    return Verdict(Outcome.FAIL, expected, f"in {caller} it knows {alone}{told}")
