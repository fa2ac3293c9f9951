"""Many HTTP calls in one exec, each with a request id of its own, and what came of each.

What is sent again is counted: by a proxy, as its access log says; by the client itself, which does
so on a kept connection that breaks, by the second line that the same request has there.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from meshproof.kube.asking import Failed, Question, Reply, ask_all
from meshproof.kube.workload import Workload
from meshproof.process import side_by_side
from meshproof.traffic.access_log import WITHIN, calls_of
from meshproof.traffic.batch import counted
from meshproof.traffic.response import Refused, Response
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample

HELLO = f"http://{HELLOWORLD}.{NAMESPACE}:{PORT}/hello"
REFUSALS = {
    Failed.NAME: Refused.NAME,
    Failed.REFUSED: Refused.CONNECTION,
    Failed.NO_ROUTE: Refused.CONNECTION,
    Failed.SILENCE: Refused.TIMEOUT,
    Failed.UNANSWERED: Refused.TIMEOUT,
    Failed.BROKEN: Refused.RESET,
    Failed.TLS: Refused.TLS,
    Failed.GRPC: Refused.STATUS,
    Failed.OTHER: Refused.OTHER,
}
"""How a failure to answer is told of a call, and of a connection."""
_HELLO = re.compile(r"Hello version: (\S+), instance: (\S+)")
_XFCC_URI = re.compile(r"URI=([^;,\s\"]+)")
_XFCC_BY = re.compile(r"By=([^;,\s\"]+)")
_OK = 200
_ID = "x-request-id"
_GRPC = "grpc://"
# A call that nobody answered may never have met the proxy: a name that does not resolve.
_UNANSWERED_WITHIN = 4.0


@dataclass(frozen=True)
class Plan:
    """What is called: ``times`` times, one after the other, each with at most ``patience`` s.

    ``headers`` go with every call. ``fresh``: a connection for each call; otherwise the one to
    the caller's proxy is kept. ``method``: HTTP's, without a body. A URL "grpc://host:port" is
    called by gRPC: its status OK counts as 200, and any other is a refusal.
    """

    url: str = HELLO
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    patience: float = 10.0
    fresh: bool = False
    method: str = "GET"


def call(sample: Sample, caller: Workload, plan: Plan | None = None) -> list[Response]:
    """Call from a pod, collect what each call came to, in order, and record it in figures.

    A caller with a sidecar has its log line beside each call, as far as there is one within a
    few seconds, 15 at most. Raises EvidenceError when the calls could not be made at all.
    """
    return call_all(sample, caller, [plan or Plan()])[0]


def call_all(sample: Sample, caller: Workload, plans: Sequence[Plan]) -> list[list[Response]]:
    """Calls of several kinds from a pod, all in one exec; what each plan's came to, as ``call``
    has it. In figures each batch takes as long as all of them. Raises as ``call`` does."""
    begin = time.monotonic()
    batches = _called(sample, caller, plans)
    # A call that nobody answered may never have met the proxy: a name that does not resolve.
    answered = all(one.status is not None for batch in batches for one in batch)
    if caller.sidecar:
        ids = [one.id for batch in batches for one in batch]
        logged = calls_of(caller, ids, WITHIN if answered else _UNANSWERED_WITHIN)
        batches = [[replace(one, log=logged.get(one.id)) for one in batch] for batch in batches]
    for plan, batch in zip(plans, batches, strict=True):
        _record(sample, caller, plan, batch, begin)
    return batches


def call_from_each(
    sample: Sample, plan: Plan, clusters: Sequence[str] | None = None
) -> list[list[Response]]:
    """The same calls from sleep in each of the clusters at once, by default in all that have
    workloads; one list for each, in order. Raises as ``call`` does."""
    callers = [sample.caller(name) for name in (sample.clusters if clusters is None else clusters)]
    return side_by_side(sample.mesh.shell, lambda one: call(sample, one, plan), callers)


def answers(sample: Sample, caller: Workload, plan: Plan | None = None) -> list[Response]:
    """The same without the lines in the caller's log, which nobody waits for."""
    begin = time.monotonic()
    responses = _called(sample, caller, [plan or Plan()])[0]
    _record(sample, caller, plan or Plan(), responses, begin)
    return responses


def _record(
    sample: Sample, caller: Workload, plan: Plan, responses: Sequence[Response], begin: float
) -> None:
    told = counted(caller, plan.url, plan.headers, responses, time.monotonic() - begin)
    sample.mesh.lab.recorder.emit("calls", **told)


def _called(sample: Sample, caller: Workload, plans: Sequence[Plan]) -> list[list[Response]]:
    batches = [questions(one) for one in plans]
    servers = sample.answering()
    bounded = 30 + sum(one.patience * min(one.times, 10) for one in plans)
    replies = iter(ask_all(caller, [one for batch in batches for one in batch], bounded))
    servers |= sample.answering()  # one that went, or came, meanwhile may have answered
    return [
        responses_of(caller, batch, list(islice(replies, len(batch))), servers) for batch in batches
    ]


def questions(plan: Plan) -> list[Question]:
    """The calls as questions, each with a request id of its own: for a caller that is to put them
    by itself, as a Job does."""
    return [_question(plan, one) for one in _ids(plan.times)]


def responses_of(
    caller: Workload,
    asked: Sequence[Question],
    replies: Sequence[Reply],
    servers: Mapping[str, Workload],
) -> list[Response]:
    """What came of such calls, without the lines in the caller's log. ``servers``: the pods that
    may have answered, by name."""
    pairs = zip(asked, replies, strict=True)
    return [_response(one.headers[_ID], reply, caller, servers) for one, reply in pairs]


def _ids(count: int) -> list[str]:
    """Request ids that Envoy leaves as they are: it would mark UUIDs for tracing."""
    run = secrets.token_hex(5)
    return [f"mp-{run}-{number}" for number in range(count)]


def _question(plan: Plan, identity: str) -> Question:
    by_grpc = plan.url.removeprefix(_GRPC) if plan.url.startswith(_GRPC) else ""
    return Question(
        "grpc" if by_grpc else "http",
        plan.patience,
        by_grpc,
        url=plan.url,
        method=plan.method,
        headers={**plan.headers, _ID: identity},
        fresh=plan.fresh,
    )


def _response(
    identity: str, reply: Reply, caller: Workload, servers: Mapping[str, Workload]
) -> Response:
    failure, body = reply.failure, reply.body  # a failure also when an answer began, and broke off
    status = None if failure else reply.status
    hello = _HELLO.search(body) if status == _OK else None
    version, pod = hello.groups() if hello else (None, None)
    client, server = _XFCC_URI.search(body), _XFCC_BY.search(body)
    return Response(
        id=identity,
        caller=caller.cluster,
        status=status,
        refusal=REFUSALS[failure.kind] if failure else None,
        said=failure.said if failure else "",
        body=body,
        seconds=reply.seconds,
        version=version,
        pod=pod,
        server=servers.get(pod) if pod else None,
        identity=client.group(1) if client else None,
        served_as=server.group(1) if server else None,
        source=reply.source,
    )
