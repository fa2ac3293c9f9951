"""What is claimed of weights: the endpoints in sleep's proxy, exactly, and the share of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_needed,
    share_of,
    share_within,
    succeeded,
)
from meshproof.kube.workload import Workload
from meshproof.mesh.gateways import GATEWAY_PORT, gateway_workload, sni_of
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HOST, PORT, Sample

_CLUSTER = outbound(HOST, PORT)
# Unequal weights are scheduled: of this many calls each endpoint gets its share but for a few.
_SCHEDULED, _BAND = 160, 0.03
# Equal weights are drawn at random. A share that ignored the replicas would be off by 0.25.
_TOLERANCE = 0.2


def weights_follow(sample: Sample, replicas: int) -> Verdict:
    """Each sleep's proxy has one endpoint of weight 1 for each pod of its network, and for each
    other network its gateway, which weighs as much as the pods behind it; v2 weighs
    ``replicas`` in all, v1 one."""
    servers = list(sample.servers().values())
    names = sample.clusters
    return all_of([_weights(sample, name, servers, replicas) for name in names])


def await_weight(sample: Sample, total: int) -> bool:
    """Wait until the healthy endpoints in each sleep's proxy weigh so much in all, and those
    behind the gateways together, and every pod answers; or half a minute is over: then
    ``weights_follow`` says what is there. Returns whether that came about."""
    what = f"endpoints that weigh {total}"
    return converge(lambda: weight_amiss(sample, total), until=lambda told: told == "", what=what)


def weight_amiss(sample: Sample, total: int) -> str:
    """What differs from endpoints that weigh so much in all, of pods that answer; "" if nothing.

    A pod that has just become ready is in the proxies already, as one that is not; and by the
    API it is ready as soon as its server has been started, before that listens."""
    callers = [sample.caller(name) for name in sample.clusters]
    topology = sample.mesh.deployment.topology
    behind = sample.plan.values() if len(topology.networks) > 1 else ()
    gateways = [gateway_workload(sample.mesh, name) for name in behind]
    through = sum(_weight(one, sni_of(HOST, PORT)) for one in gateways)
    seen = {_weight(one, _CLUSTER) for one in callers} | ({through} if gateways else set())
    if seen != {total}:
        return f"endpoints weigh {' and '.join(map(str, sorted(seen)))}"
    mute = _mute(sample)
    return f"nobody answers in {', '.join(mute)}" if mute else ""


def shares_follow(sample: Sample, replicas: int) -> Verdict:
    """From each cluster v2 answers as many of the calls as it has of the weight, and none fails.

    Where weights are equal Envoy draws at random: the binomial test, of calls enough to notice
    a share that is off by 0.2. Where they differ it goes by a schedule: within 3 % of all calls.
    """
    names = sample.clusters
    share = replicas / (replicas + 1)
    plan = Plan(times=max(calls_needed(share, _TOLERANCE), _SCHEDULED))
    batches = side_by_side(
        sample.mesh.shell, lambda name: call(sample, sample.caller(name), plan), names
    )
    return all_of([_share(sample, responses, share) for responses in batches])


def _weight(proxy: Workload, cluster: str) -> int:
    return sum(one.weight for one in endpoints(proxy, cluster) if one.healthy)


def _mute(sample: Sample) -> list[str]:
    """The helloworld pods whose server does not answer, asked without any proxy."""
    servers = list(sample.servers().values())

    def answers(one: Workload) -> bool:
        url = f"http://127.0.0.1:{PORT}/hello"
        asked = one.run_from_node("curl", "-sf", "-m", "5", "-o", "/dev/null", url, check=False)
        return asked.returncode == 0

    found = side_by_side(sample.mesh.shell, answers, servers)
    return [one.name for one, yes in zip(servers, found, strict=True) if not yes]


def _known(sample: Sample, caller: str) -> tuple[Endpoint, ...]:
    return endpoints(sample.caller(caller), _CLUSTER)


def _weights(sample: Sample, caller: str, servers: Sequence[Workload], replicas: int) -> Verdict:
    known = _known(sample, caller)
    owners = _owners(sample, caller, servers)
    due = Counter(dict.fromkeys(sample.plan, 1) | {"v2": replicas})
    weights = Counter[str]()
    for one in known:
        weights[owners.get((one.address, one.port), f"{one.address}:{one.port}")] += one.weight
    odd = [one for one in known if not one.healthy or (one.port == PORT and one.weight != 1)]
    listed = ", ".join(map(_listed, known))
    expected = f"sleep's proxy in {caller} to have {_told(due)}, each pod 1, all healthy"
    observed = f"in {caller} {_told(weights) or 'nothing'} ({listed})"
    outcome = Outcome.FAIL if weights != due or odd else Outcome.PASS
    return Verdict(outcome, expected, observed, {f"endpoints in {caller}": listed})


def _owners(sample: Sample, caller: str, servers: Sequence[Workload]) -> dict[tuple[str, int], str]:
    """The version that each endpoint leads to: pods on the caller's network, other gateways."""
    near = sample.mesh.deployment.topology.same_network
    pods = [one for one in servers if near(caller, one.cluster)]
    far = [(version, name) for version, name in sample.plan.items() if not near(caller, name)]
    gateways = {(str(sample.mesh.gateway(name)), GATEWAY_PORT): version for version, name in far}
    return {(str(one.address), PORT): one.version for one in pods} | gateways


def _listed(one: Endpoint) -> str:
    return f"{one.address}:{one.port} {one.weight}{'' if one.healthy else ' unhealthy'}"


def _told(weights: Counter[str]) -> str:
    return ", ".join(f"{what} weighing {weight}" for what, weight in sorted(weights.items()))


def _share(sample: Sample, responses: Sequence[Response], share: float) -> Verdict:
    caller = responses[0].caller
    if len({one.weight for one in _known(sample, caller)}) > 1:
        part = share_within(responses, "v2", share - _BAND, share + _BAND)
    else:
        part = share_of(responses, "v2", share, _TOLERANCE)
    told = replace(part, observed=f"calls from {caller}, answered by v2: {part.observed}")
    return all_of([believable(responses), succeeded(responses), told])
