"""A server that is announced as another than it is, and what clients make of it.

A Service without pods, whose one instance is a WorkloadEntry: that names the account which clients
must be shown. The pod behind it has a sidecar, and so a certificate of the mesh, for its own name.
Accounts of pods that Istio discovers are accepted by design; this one is not discovered.
Source: https://istio.io/latest/docs/reference/config/networking/workload-entry/.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.expect import Outcome, Verdict, all_of, refused_with, succeeded
from meshproof.expect.control import as_control
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import PodWorkload, find_workload, spiffe
from meshproof.mesh.config_dump import accepted_names
from meshproof.mesh.configuration import configured
from meshproof.mesh.proxy import outbound
from meshproof.mesh.routes import host_of
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.services import await_forgotten
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import (
    NAMESPACE,
    PORT,
    Sample,
    helloworld_objects,
    helloworld_service,
)

ANNOUNCED, STRANGER = "announced", "stranger"
HOST = host_of(ANNOUNCED, NAMESPACE)
_URL = f"http://{ANNOUNCED}.{NAMESPACE}:{PORT}/hello"
_ENTRY = "WorkloadEntry"
# Both of a proxy's workers are met, whichever of them a connection comes to.
_CALLS = 12
_REFUSED = "CERTIFICATE_VERIFY_FAILED"


@contextmanager
def stranger(sample: Sample) -> Iterator[PodWorkload]:
    """A server whose account is its own, in the last cluster that has a version of helloworld, and
    a Service that none of its labels meet, in all clusters. Raises LabError when it does not run.
    """
    home = sample.homes[-1]
    with ExitStack() as stack:
        for name in sample.clusters:
            stack.enter_context(applied(sample.mesh.cluster(name), [_service()]))
        cluster = sample.mesh.cluster(home)
        stack.enter_context(applied(cluster, _stranger()))
        await_rollout(cluster, NAMESPACE, {STRANGER}, sample.mesh.shell)
        yield find_workload(cluster, STRANGER, NAMESPACE)
    if not await_forgotten(sample, [HOST]):
        sample.mesh.mark_dirty(f"the proxies do not forget {HOST}")


@contextmanager
def announced(sample: Sample, server: PodWorkload, account: str) -> Iterator[None]:
    """The server is announced as one of ``account`` inside the block, wherever configuration
    counts; what the proxies make of it is for the claims to see."""

    def arrived() -> bool:
        return all(not _missing(sample, name, account) for name in callers_of(sample, server))

    try:
        with configured(sample.mesh, [_entry(sample, server, account)]):
            arrive(sample.mesh, arrived, what=f"a server that is announced as {account}")
            yield
    finally:
        if not await_forgotten(sample, [HOST]):
            sample.mesh.mark_dirty(f"the proxies do not forget who is announced as {account}")


def callers_of(sample: Sample, server: PodWorkload) -> list[str]:
    """The clusters of the server's own mesh whose istiods know its cluster's network."""
    topology = sample.topology
    mesh = topology[server.cluster].mesh
    return [
        name
        for name in sample.clusters
        if topology.knows(name, server.cluster) and topology[name].mesh == mesh
    ]


def refused_as(sample: Sample, server: PodWorkload, account: str) -> Verdict:
    """Each caller's proxy sets out for the server, sees a certificate that is not ``account``'s,
    and gives up: no call is answered."""
    return all_of(_refused(sample, name, server, account) for name in callers_of(sample, server))


def answered_as(sample: Sample, server: PodWorkload, account: str) -> Verdict:
    """The control: announced as who it is the server answers each caller, as nobody else."""
    return as_control(
        all_of(_answered(sample, name, server, account) for name in callers_of(sample, server))
    )


def _refused(sample: Sample, caller: str, server: PodWorkload, account: str) -> Verdict:
    responses = _calls(sample, caller)
    expected = f"{server.name}, announced as {account}, to be refused by {caller}'s sleep"
    if answered := [one for one in responses if one.succeeded]:
        peers = sorted({one.log.upstream_peer or "nobody" for one in answered if one.log})
        observed = f"{len(answered)} of {len(responses)} calls were answered by {', '.join(peers)}"
        return Verdict(Outcome.FAIL, expected, f"{observed}, such as {answered[0]}")
    if missing := _missing(sample, caller, account):
        return Verdict(Outcome.INCONCLUSIVE, expected, missing)
    if astray := _astray(sample, caller, server, responses):
        return Verdict(Outcome.INCONCLUSIVE, expected, astray)
    return refused_with(responses, status=503, flags="UF", detail=_REFUSED)


def _answered(sample: Sample, caller: str, server: PodWorkload, account: str) -> Verdict:
    responses = _calls(sample, caller)
    identity = sample.topology[server.cluster].mesh.identity(NAMESPACE, account)
    expected = f"{server.name} to answer {caller}'s sleep as {identity}"
    peers = {one.log.upstream_peer for one in responses if one.log}
    others = sorted(peers - {identity}) or ([] if peers else ["no log"])
    outcome = Outcome.FAIL if others else Outcome.PASS
    return all_of([succeeded(responses), Verdict(outcome, expected, f"as {others or identity}")])


def _calls(sample: Sample, caller: str) -> list[Response]:
    return call(sample, sample.caller(caller), Plan(_URL, times=_CALLS, fresh=True))


def _missing(sample: Sample, caller: str, account: str) -> str:
    """What a caller's proxy lacks to hold the server for one of ``account``; "" if nothing."""
    member, deployment = sample.topology[caller], sample.mesh.deployment
    # A trust domain that the mesh takes for its own has the account as well.
    domains = [member.mesh.trust_domain, *deployment.trust_domain_aliases(member)]
    due = {spiffe(NAMESPACE, account, one) for one in domains}
    names = accepted_names(sample.caller(caller), outbound(HOST, PORT))
    told = f"{caller}'s proxy takes {', '.join(sorted(names)) or 'nobody'} behind {ANNOUNCED}"
    return "" if names == due else f"{told}, and not {' and '.join(sorted(due))} alone"


def _astray(sample: Sample, caller: str, server: PodWorkload, responses: list[Response]) -> str:
    """Why calls tell nothing of the server: they did not set out for it; "" if they did."""
    ways = set(map(str, sample.ways(caller, server)))
    others = [one for one in responses if one.log is None or one.log.upstream_host not in ways]
    told = f"{len(others)} of {len(responses)} calls did not set out for {server.name}, such as"
    return f"{told} {others[0]}" if others else ""


def _service() -> Object:
    service = helloworld_service(name=ANNOUNCED)
    service["spec"]["selector"] = {"app": ANNOUNCED}
    return service


def _stranger() -> list[Object]:
    """A pod of helloworld's program, which neither helloworld's Service nor the other one knows."""
    account, deployment = helloworld_objects(STRANGER)
    account["metadata"]["name"] = STRANGER
    labels = {"app": STRANGER, "version": STRANGER}
    deployment["metadata"] |= {"name": STRANGER, "labels": labels}
    spec = deployment["spec"]
    spec["selector"]["matchLabels"] = labels
    spec["template"]["metadata"]["labels"] = labels
    pod = spec["template"]["spec"]
    pod["serviceAccountName"] = STRANGER
    pod["containers"][0]["name"] = STRANGER
    return [account, deployment]


def _entry(sample: Sample, server: PodWorkload, account: str) -> Object:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": _ENTRY,
        "metadata": {"name": ANNOUNCED, "namespace": NAMESPACE},
        "spec": {
            "address": str(server.address),
            "network": sample.topology[server.cluster].network,
            "labels": {"app": ANNOUNCED},
            "serviceAccount": account,
        },
    }
