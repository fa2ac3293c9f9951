"""A Service behind which nobody listens, and what callers do about connections that fail.

Its pods are the callers without a sidecar, whose systems refuse connections to a port that no
program has opened. Source of what is usual, two more attempts where a connection fails:
https://istio.io/latest/docs/concepts/traffic-management/#retries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from meshproof.expect import Outcome, Verdict, all_of, believable, refused_with
from meshproof.expect.control import as_control
from meshproof.kube.objects import Object
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of, virtual_service
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.services import deployed_services
from meshproof.traffic.settle import require
from meshproof.workloads.sample import OUTSIDE, PORT, SLEEP, Sample, helloworld_service

SERVICE = "absent"
HOST = host_of(SERVICE, OUTSIDE)
URL = f"http://{SERVICE}.{OUTSIDE}:{PORT}/hello"
_CLOSED = 5999
_FEW = 6


@contextmanager
def absent(sample: Sample) -> Iterator[None]:
    """Every cluster has the Service inside the block, and every sleep's proxy knows whom to call;
    afterwards it is gone, or the mesh is marked dirty. Raises EvidenceError when a proxy does not
    learn of it within a minute."""
    service = helloworld_service(OUTSIDE, SERVICE)
    port = {"name": "http", "port": PORT, "targetPort": _CLOSED}
    service["spec"] = {"selector": {"app": SLEEP}, "ports": [port]}
    cluster = outbound(HOST, PORT)

    def lacking() -> list[str]:
        return [name for name in sample.clusters if not endpoints(sample.caller(name), cluster)]

    with deployed_services(sample, [service]):
        require(lacking, until=lambda names: not names, what=f"the endpoints of {SERVICE}")
        yield


def forbidding_retries(attempts: int = 0) -> list[Object]:
    """Calls to the Service are sent again so many times, by default not at all."""
    route = {"route": [{"destination": {"host": HOST}}], "retries": {"attempts": attempts}}
    return [virtual_service(HOST, [route])]


def tried_once(sample: Sample) -> Verdict:
    """From each cluster calls to the Service end as connections that failed, each of which was
    tried once."""
    return all_of(
        verdict for batch in _calls(sample) for verdict in (believable(batch), _failed(batch))
    )


def tried_again(sample: Sample) -> Verdict:
    """The control: by Istio's usual policy such calls are tried more than once, so that what
    forbids it makes a difference."""
    return as_control(
        all_of(verdict for batch in _calls(sample) for verdict in (_failed(batch), _again(batch)))
    )


def _calls(sample: Sample) -> list[list[Response]]:
    return call_from_each(sample, Plan(URL, _FEW))


def _failed(responses: Sequence[Response]) -> Verdict:
    return refused_with(responses, status=503, flags="UF")


def _again(responses: Sequence[Response]) -> Verdict:
    counts = sorted({one.log.attempts for one in responses if one.log})
    expected = f"{len(responses)} calls from {responses[0].caller} to be tried more than once each"
    if any(one.log is None for one in responses):
        return Verdict(Outcome.INCONCLUSIVE, expected, "calls without a line in the caller's log")
    outcome = Outcome.PASS if counts and counts[0] > 1 else Outcome.FAIL
    return Verdict(outcome, expected, f"tried {' or '.join(map(str, counts))} times")
