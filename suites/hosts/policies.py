"""Policies of the meshes of a host's members, pushed as all else, and what they come to there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from meshproof.expect import Verdict, all_of, answered_from_home, calls_to_meet, refused_with
from meshproof.expect.denied import DENIED, FORBIDDEN
from meshproof.host.content import Content
from meshproof.kube.objects import Object
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.policies import of_policy
from meshproof.traffic.settle import arrive, await_drained
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, Sample

_ODDS = 2**-12
POLICY: Object = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "pushed", "namespace": NAMESPACE},
    "spec": {
        "selector": {"matchLabels": {"app": HELLOWORLD}},
        "action": "DENY",
        "rules": [{"from": [{"source": {"namespaces": [NAMESPACE]}}]}],
    },
}
"""helloworld denies whoever is of its own namespace."""


def denying(content: Content, members: Collection[str]) -> Content:
    """The same with the policy in these members."""
    overlays = {
        name: replace(overlay, objects=[*overlay.objects, POLICY]) if name in members else overlay
        for name, overlay in content.members.items()
    }
    return replace(content, members=overlays)


def await_obeyed(sample: Sample, members: Collection[str]) -> None:
    """Wait until the proxies of helloworld obey the policy in these members and in no other, or
    half a minute has passed, which is noted in the mesh."""
    obeys = of_policy(POLICY)

    def wrong() -> list[str]:
        servers = sample.every_server()
        return [str(one) for one in servers if obeys(one) is not (one.cluster in members)]

    where = ", ".join(members) or "no member"
    arrive(sample.mesh, wrong, until=lambda left: not left, what=f"the policy in {where} alone")
    await_drained(sample)


def denied_in(sample: Sample, members: Collection[str]) -> Verdict:
    """Calls within each of these members are denied by the servers' proxies; within the others all
    versions answer."""
    verdicts = []
    for name in sample.clusters:
        times = calls_to_meet(sample.smallest_share, _ODDS)
        responses = call(sample, sample.caller(name), Plan(HELLO, times))
        if name in members:
            verdicts.append(refused_with(responses, status=FORBIDDEN, detail=DENIED))
        else:
            verdicts.append(answered_from_home(responses, sample.reached_from(name)))
    return all_of(verdicts)
