"""What is claimed of the scope of policies: those who obey them say whose they obeyed.

In each cluster three kinds are applied whose effects do not meet: an AuthorizationPolicy, by which
servers refuse a path of that cluster's name, where without it there is nothing (404); a
PeerAuthentication, by which they take plain text at the port for HTTP; and a DestinationRule, by
which callers send plain text to the other port, where nobody takes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from meshproof.expect import Outcome, Verdict, all_of, believable, calls_to_meet
from meshproof.expect.control import as_control
from meshproof.kube.objects import Object
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.config_dump import takes_plain_text
from meshproof.mesh.manifests import SHORT_CONNECTIONS
from meshproof.process import side_by_side
from meshproof.traffic.calls import HELLO, Plan, answers, call_from_each
from meshproof.traffic.heard import heard_by_version
from meshproof.traffic.policies import enforced, of_policy
from meshproof.traffic.response import Response
from meshproof.traffic.routing import in_force
from meshproof.traffic.tcp import connect
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, TCP_PORT, Sample

_FORBIDDEN, _NOTHING_THERE = 403, 404
_FEW = 4
_WORKLOAD = {"selector": {"matchLabels": {"app": HELLOWORLD}}}


def policies_of(cluster: str) -> list[Object]:
    """What servers obey: a path that is refused, and a port that takes plain text."""
    name = f"configured-in-{cluster}"
    # At a port for TCP, Istio passes over a path, and would deny whoever comes.
    rule = {"to": [{"operation": {"paths": [_path(cluster)], "ports": [str(PORT)]}}]}
    spec = {**_WORKLOAD, "action": "DENY", "rules": [rule]}
    open_port = {**_WORKLOAD, "portLevelMtls": {str(PORT): {"mode": "PERMISSIVE"}}}
    return [
        _object("security.istio.io/v1", "AuthorizationPolicy", name, spec),
        _object("security.istio.io/v1", "PeerAuthentication", name, open_port),
    ]


def rule_of(cluster: str) -> Object:
    """What callers obey: plain text to the plain port. It stands in for the own rule of a mesh by
    which, behind a gateway that several clusters share, no connection is kept."""
    port = {"port": {"number": TCP_PORT}, "tls": {"mode": "DISABLE"}}
    policy = {**SHORT_CONNECTIONS, "portLevelSettings": [{**port, **SHORT_CONNECTIONS}]}
    spec = {"host": HOST, "trafficPolicy": policy}
    name = f"configured-in-{cluster}"
    return _object("networking.istio.io/v1", "DestinationRule", name, spec)


@contextmanager
def policies_in_force(sample: Sample, cluster: str) -> Iterator[None]:
    """A cluster's own are applied in it, and obeyed inside the block by all whom it governs, as far
    as that comes about; what does not is noted in the mesh."""
    refusing, opening = policies_of(cluster)
    opened = partial(takes_plain_text, port=PORT)
    with (
        enforced(sample, [refusing], of_policy(refusing), [cluster]),
        enforced(sample, [opening], opened, [cluster]),
        in_force(sample, [rule_of(cluster)], [cluster]),
    ):
        yield


def obeyed_by_their_own(sample: Sample, counting: Collection[str], asked: Sequence[str]) -> Verdict:
    """Policies of the clusters ``counting``, and of no other of those ``asked`` for, are obeyed:
    by the servers and callers that they govern, and by nobody else."""
    return all_of(
        [
            *(one for name in asked for one in _paths(sample, name, counting)),
            *(_plain_text(sample, name, counting) for name in sample.homes),
            *_lines(sample, counting),
        ]
    )


def without_them(sample: Sample) -> Verdict:
    """The control: with no policy in force, plain text is refused in each cluster, and each sleep
    is greeted by TCP. So what is open, or turned away, under policies is their doing."""
    plain = [_plain_text(sample, name, ()) for name in sample.homes]
    return as_control(all_of([*plain, *_lines(sample, ())]))


def _paths(sample: Sample, cluster: str, counting: Collection[str]) -> Iterator[Verdict]:
    """Which servers refuse the path of a cluster's name."""
    url = f"{HELLO.removesuffix('/hello')}{_path(cluster)}"
    plan = Plan(url, times=_times(sample))
    for responses in call_from_each(sample, plan):
        yield believable(responses)
        yield _refused_by(sample, cluster, counting, responses)


def _times(sample: Sample) -> int:
    """So many that each version is called: the one that answers may have the fewest instances."""
    return calls_to_meet(sample.smallest_share)


def _refused_by(
    sample: Sample, cluster: str, counting: Collection[str], responses: Sequence[Response]
) -> Verdict:
    caller = responses[0].caller
    lines = heard_by_version(sample, caller, [one.id for one in responses])
    expected = f"{_path(cluster)} to be refused by those whom {cluster} governs, if it counts"
    told = {name: Counter(one.status for one in theirs) for name, theirs in lines.items()}
    observed = f"from {caller}, {_path(cluster)}: " + ", ".join(
        f"{name} says {dict(counts)}" for name, counts in told.items()
    )
    for version, counts in told.items():
        governing = sample.topology.configured_by(sample.versions[version])
        due = _FORBIDDEN if cluster in counting and governing == cluster else _NOTHING_THERE
        if counts.keys() - {due}:
            return Verdict(Outcome.FAIL, expected, f"{observed}; {version} should say {due}")
    silent = [version for version, counts in told.items() if not counts]
    outcome = Outcome.INCONCLUSIVE if silent or not told else Outcome.PASS
    return Verdict(outcome, expected, observed)


def _plain_text(sample: Sample, home: str, counting: Collection[str]) -> Verdict:
    """Whether a caller without a sidecar is answered in its own cluster."""
    outsider = sample.outsider(home)
    calls = answers(sample, outsider, Plan(times=_FEW))
    open_to_all = sample.topology.configured_by(home) in counting
    expected = f"{outsider} to be {'answered' if open_to_all else 'refused'} in plain text"
    answered = sum(one.succeeded for one in calls)
    outcome = Outcome.PASS if answered == (_FEW if open_to_all else 0) else Outcome.FAIL
    return Verdict(outcome, expected, f"{answered} of {_FEW} answered in {home}")


def _lines(sample: Sample, counting: Collection[str]) -> list[Verdict]:
    """Whether sleeps are greeted at the plain port. One that a rule does not govern may be greeted
    by some servers only: a gateway obeys its own istiod's rules, and leads nobody to servers that
    its own callers reach without mTLS."""
    callers = [sample.caller(name) for name in sample.clusters]
    times = _times(sample)

    def greeted(caller: PodWorkload) -> int:
        return sum(one.heard for one in connect(sample, caller, times))

    found = side_by_side(sample.mesh.shell, greeted, callers)
    verdicts = []
    for name, count in zip(sample.clusters, found, strict=True):
        broken = sample.topology.configured_by(name) in counting
        expected = f"{name}'s sleep to be {'turned away' if broken else 'greeted'} by TCP"
        outcome = Outcome.PASS if (count == 0) is broken else Outcome.FAIL
        verdicts.append(Verdict(outcome, expected, f"{count} of {times} greeted from {name}"))
    return verdicts


def _path(cluster: str) -> str:
    return f"/configured-in-{cluster}"


def _object(version: str, kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
