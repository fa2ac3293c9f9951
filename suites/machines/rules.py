"""Rules and policies that are about a machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.configuration import configured
from meshproof.mesh.routes import destination_rule, to_versions, virtual_service
from meshproof.traffic.policies import Sign, of_policy, principals
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, SLEEP, Sample

POLICY = "deny-sleep-on-a-machine"


def by_weight(weights: Mapping[str, int]) -> list[Object]:
    """helloworld's versions share calls by these weights, in percent."""
    return [
        destination_rule(HOST, list(weights)),
        virtual_service(HOST, [to_versions(HOST, weights)]),
    ]


@contextmanager
def denying_sleep(sample: Sample, machine: str) -> Iterator[None]:
    """A machine's helloworld denies sleep inside the block, by a policy which selects its version,
    as far as its proxy learns of it within half a minute; afterwards it does not, or the mesh is
    marked dirty."""
    one = sample.machines[machine]
    policy = _policy(sample, one.version)
    sign: Sign = of_policy(policy)
    try:
        with configured(sample.mesh, [policy], [one.cluster]):
            arrive(sample.mesh, lambda: sign(one), what=f"{POLICY} in the proxy of {machine}")
            yield
    finally:
        await_healed(sample, lambda: not sign(one), f"the end of {POLICY} on {machine}")


def _policy(sample: Sample, version: str) -> Object:
    rule = {"from": [{"source": {"principals": principals(sample, SLEEP)}}]}
    selector = {"matchLabels": {"app": HELLOWORLD, "version": version}}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": POLICY, "namespace": NAMESPACE},
        "spec": {"selector": selector, "action": "DENY", "rules": [rule]},
    }
