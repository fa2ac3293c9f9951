"""Policies of the meshes of a host's members, pushed as all else, and what they come to there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    refused_with,
)
from meshproof.expect.denied import DENIED, FORBIDDEN
from meshproof.host.content import Content
from meshproof.kube.objects import Object
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.heard import heard_by_version
from meshproof.traffic.policies import of_policy
from meshproof.traffic.response import Response
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
    """Calls that come to servers in these members are denied by their proxies, and all versions in
    the others answer, whichever member they are called from."""
    verdicts: list[Verdict] = []
    for name in sample.clusters:
        times = calls_to_meet(sample.smallest_share, _ODDS)
        responses = call(sample, sample.caller(name), Plan(HELLO, times))
        homes = sample.reached_from(name)
        others = {version: home for version, home in homes.items() if home not in members}
        denied = [one for one in responses if one.status == FORBIDDEN]
        if others == homes:
            verdicts.append(answered_from_home(responses, homes))
        elif not others or not denied:
            verdicts.append(refused_with(responses, status=FORBIDDEN, detail=DENIED))
        else:  # some go to a server that denies them, and some to one that does not
            rest = [one for one in responses if one not in denied]
            verdicts.append(refused_with(denied, status=FORBIDDEN, detail=DENIED))
            verdicts.append(answered_from_home(rest, others))
            verdicts.append(_denied_by(sample, name, denied, homes.keys() - others.keys()))
    return all_of(verdicts)


def _denied_by(
    sample: Sample, caller: str, denied: Sequence[Response], versions: Collection[str]
) -> Verdict:
    """Each of these calls is in the log of a server of these versions. INCONCLUSIVE: one is in no
    server's log."""
    expected = f"{len(denied)} denied calls to have come to {', '.join(sorted(versions))}"
    heard = heard_by_version(sample, caller, [one.id for one in denied])
    counted = {version: len(lines) for version, lines in heard.items()}
    told = ", ".join(f"{version}: {count}" for version, count in counted.items())
    if any(count for version, count in counted.items() if version not in versions):
        return Verdict(Outcome.FAIL, expected, told)
    if sum(counted.values()) < len(denied):
        return Verdict(Outcome.INCONCLUSIVE, expected, f"in servers' logs are {told}")
    return Verdict(Outcome.PASS, expected, told)
