"""Waits until proxies know as many instances of helloworld as there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from meshproof.kube.asking import Question, ask
from meshproof.kube.workload import Workload
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HOST, PORT, Sample

_PATIENCE, _OK = 5.0, 200
_SERVICE, _BY_SNI = outbound(HOST, PORT), sni_of(HOST, PORT)


def pods_of(sample: Sample, counts: Mapping[str, int]) -> dict[str, int]:
    """How many helloworld pods each cluster has where each version has so many."""
    found = Counter(dict.fromkeys(sample.clusters, 0))
    for version, number in counts.items():
        found[sample.versions[version]] += number
    return dict(found)


def usual_pods(sample: Sample) -> dict[str, int]:
    """How many helloworld pods each cluster has by the topology."""
    return pods_of(sample, {one.version: one.replicas for one in sample.topology.placements})


def await_pods(sample: Sample, pods: Mapping[str, int]) -> bool:
    """Wait until the proxies know so many pods of each cluster, and every pod answers; or half a
    minute is over: then whoever judges weights says what is there. Returns whether that came
    about."""
    what = f"endpoints of {sum(pods.values())} pods"
    return converge(lambda: pods_amiss(sample, pods), until=lambda told: told == "", what=what)


def pods_amiss(sample: Sample, pods: Mapping[str, int]) -> str:
    """What differs from proxies that know so many pods of each cluster, which answer; "" if
    nothing does. Each proxy knows those of its own network; what a gateway weighs beyond it is
    for ``suites/weight`` to judge.

    A pod that has just become ready is in the proxies already, as one that is not; and by the
    API it is ready as soon as its server has been started, before that listens.
    """
    callers = {f"sleep's proxy in {name}": name for name in sample.clusters}
    proxies = {what: (sample.caller(name), _SERVICE, name) for what, name in callers.items()}
    for member in sample.topology.eastwest_gateways:
        proxy = gateway_workload(sample.mesh, member.name)
        proxies[f"the gateway of {member.name}"] = (proxy, _BY_SNI, member.name)
    for what, (proxy, cluster, where) in proxies.items():
        seen, due = _near(proxy, cluster), _due(sample, where, pods)
        if seen != due:
            return f"{what} knows {seen} pods of {due}"
    mute = _mute(sample)
    return f"nobody answers in {', '.join(mute)}" if mute else ""


def _near(proxy: Workload, cluster: str) -> int:
    """How many healthy pods a proxy has as endpoints: gateways have other ports."""
    return sum(one.healthy and one.port == PORT for one in endpoints(proxy, cluster))


def _due(sample: Sample, cluster: str, pods: Mapping[str, int]) -> int:
    topology = sample.topology
    near = [one for one in sample.clusters if topology.same_network(one, cluster)]
    known = [one for one in near if one == cluster or topology.knows(cluster, one)]
    return sum(pods.get(one, 0) for one in known)


def _mute(sample: Sample) -> list[str]:
    """The helloworld pods whose server does not answer, asked without any proxy."""
    servers = list(sample.servers().values())

    def answers(one: Workload) -> bool:
        url = f"http://127.0.0.1:{PORT}/hello"
        reply = ask(one, Question("http", _PATIENCE, url=url))
        return reply.failure is None and reply.status == _OK

    found = side_by_side(sample.mesh.shell, answers, servers)
    return [one.name for one, yes in zip(servers, found, strict=True) if not yes]
