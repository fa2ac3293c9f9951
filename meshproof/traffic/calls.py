"""Many HTTP calls in one exec, each with a request id of its own, and what came of each.

Nothing is retried: what a proxy retried is in its access log and is counted.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from meshproof.errors import EvidenceError
from meshproof.kube.workload import Workload
from meshproof.process import side_by_side
from meshproof.traffic.access_log import WITHIN, entries_of
from meshproof.traffic.batch import counted
from meshproof.traffic.response import Refused, Response
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample

HELLO = f"http://{HELLOWORLD}.{NAMESPACE}:{PORT}/hello"
_MARK = "\x1e"
_SAID = "\x1f"
# As text: a call that got no answer has the status 000, which is no number in JSON.
_SHOWN = (
    '{"id":"%s","status":"%%{http_code}","exit":%%{exitcode},"seconds":%%{time_total},'
    '"source":"%%{local_ip}:%%{local_port}"}'
)
# https://curl.se/libcurl/c/libcurl-errors.html
_REFUSALS = {
    6: Refused.NAME,
    7: Refused.CONNECTION,
    28: Refused.TIMEOUT,
    35: Refused.TLS,
    52: Refused.RESET,
    56: Refused.RESET,
}
_HELLO = re.compile(r"Hello version: (\S+), instance: (\S+)")
_XFCC_URI = re.compile(r"URI=([^;,\s\"]+)")
_XFCC_BY = re.compile(r"By=([^;,\s\"]+)")
_OK = 200
# A call that nobody answered may never have met the proxy: a name that does not resolve.
_UNANSWERED_WITHIN = 4.0


@dataclass(frozen=True)
class Plan:
    """What is called: ``times`` times, one after the other, each with at most ``patience`` s.

    ``headers`` go with every call. ``fresh``: a connection for each call; otherwise curl keeps
    the one to its proxy.
    """

    url: str = HELLO
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    patience: float = 10.0
    fresh: bool = False


def call(sample: Sample, caller: Workload, plan: Plan | None = None) -> list[Response]:
    """Call from a pod, collect what each call came to, in order, and record it in figures.

    A caller with a sidecar has its log line beside each call, as far as there is one within a
    few seconds, 15 at most. Raises EvidenceError when the calls could not be made at all.
    """
    begin = time.monotonic()
    responses = _called(sample, caller, plan or Plan())
    # A call that nobody answered may never have met the proxy: a name that does not resolve.
    answered = all(one.status is not None for one in responses)
    if caller.sidecar:
        ids = [one.id for one in responses]
        logged = entries_of(caller, ids, WITHIN if answered else _UNANSWERED_WITHIN)
        responses = [replace(one, log=logged.get(one.id)) for one in responses]
    _record(sample, caller, plan or Plan(), responses, begin)
    return responses


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
    responses = _called(sample, caller, plan or Plan())
    _record(sample, caller, plan or Plan(), responses, begin)
    return responses


def _record(
    sample: Sample, caller: Workload, plan: Plan, responses: Sequence[Response], begin: float
) -> None:
    told = counted(caller, plan.url, plan.headers, responses, time.monotonic() - begin)
    sample.mesh.lab.recorder.emit("calls", **told)


def _called(sample: Sample, caller: Workload, chosen: Plan) -> list[Response]:
    ids, config = prepared(chosen)
    servers = sample.servers()
    bounded = 30 + chosen.patience * min(chosen.times, 10)
    made = caller.run("curl", "--config", "-", input=config, check=False, timeout=bounded)
    servers |= sample.servers()  # one that went, or came, meanwhile may have answered
    return understood(caller, ids, made.stdout, servers, made.stderr)


def prepared(plan: Plan) -> tuple[list[str], str]:
    """The calls' request ids, and curl's configuration that makes them: for a caller that is to
    run it by itself, as a Job does."""
    ids = _ids(plan.times)
    return ids, _config(plan, ids)


def understood(
    caller: Workload,
    ids: Sequence[str],
    printed: str,
    servers: Mapping[str, Workload],
    complained: str = "",
) -> list[Response]:
    """What curl printed of ``prepared`` calls, without their log lines. ``servers``: the pods that
    may have answered, by name. Raises EvidenceError when calls are missing."""
    results = _results(printed)
    if set(results) != set(ids):
        said = complained.strip()[-300:]
        raise EvidenceError(f"{len(results)} of {len(ids)} calls from {caller} were made: {said}")
    return [_response(one, results[one], caller, servers) for one in ids]


def _ids(count: int) -> list[str]:
    """Request ids that Envoy leaves as they are: it would mark UUIDs for tracing."""
    run = secrets.token_hex(5)
    return [f"mp-{run}-{number}" for number in range(count)]


def _config(plan: Plan, ids: Sequence[str]) -> str:
    """curl's configuration: a block for each call, with headers and a result of its own."""
    blocks = []
    for one in ids:
        headers = {**plan.headers, "x-request-id": one}
        if plan.fresh:
            headers["connection"] = "close"
        lines = [f'url = "{plan.url}"', "silent", f"max-time = {plan.patience}"]
        lines += [f'header = "{name}: {value}"' for name, value in headers.items()]
        shown = (_SHOWN % one).replace('"', '\\"')
        lines.append(f'write-out = "{_MARK}{shown}{_SAID}%{{errormsg}}{_MARK}\\n"')
        blocks.append("\n".join(lines))
    return "\nnext\n".join(blocks) + "\n"


def _results(printed: str) -> dict[str, tuple[dict[str, Any], str]]:
    """By request id: curl's own account of the call, and the body before it."""
    found = {}
    pieces = printed.split(_MARK)
    for body, account in zip(pieces[0::2], pieces[1::2], strict=False):
        figures, _, said = account.partition(_SAID)
        entry = {**json.loads(figures), "said": said}
        found[str(entry["id"])] = (entry, body.lstrip("\n"))
    return found


def _response(
    identity: str,
    result: tuple[dict[str, Any], str],
    caller: Workload,
    servers: Mapping[str, Workload],
) -> Response:
    account, body = result
    broken = int(account["exit"])  # also when an answer began, and broke off
    status = None if broken else int(account["status"])
    refusal = _REFUSALS.get(broken, Refused.OTHER) if broken else None
    hello = _HELLO.search(body) if status == _OK else None
    version, pod = hello.groups() if hello else (None, None)
    client, server = _XFCC_URI.search(body), _XFCC_BY.search(body)
    return Response(
        id=identity,
        caller=caller.cluster,
        status=status,
        refusal=refusal,
        said=str(account["said"]),
        body=body,
        seconds=float(account["seconds"]),
        version=version,
        pod=pod,
        server=servers.get(pod) if pod else None,
        identity=client.group(1) if client else None,
        served_as=server.group(1) if server else None,
        source=str(account["source"]),
    )
