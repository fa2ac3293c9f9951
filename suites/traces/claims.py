"""What is claimed of traces through the gateway, so that sabotage can claim the same."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control
from meshproof.kube.asking import Question, ask_all
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import TRACES, TRACES_NAMESPACE, TRACES_SERVICE
from meshproof.traffic.calls import HELLO
from meshproof.traffic.settle import await_healed, converge
from meshproof.workloads.sample import NAMESPACE, Sample
from meshproof.workloads.trace_sink import Span, TraceSinks, trace_sinks

PLACE = f"{TRACES_SERVICE}.{TRACES_NAMESPACE}."
"""What is in the listeners of a proxy that reports what it has done to the sinks."""

# With two equal endpoints the odds that one is never chosen are 2 in 2^40.
_CALLS = 40
# A gateway may learn a push later than sidecars what to report: more than two rounds are looked at
# (about half of the calls go to the other cluster, so it takes four).
_ROUNDS = 2
# Proxies report every five seconds, or when five parts have come together.
_WITHIN = 120.0
_PATIENCE = 10.0


@contextmanager
def traced(sample: Sample) -> Iterator[TraceSinks]:
    """Every call is traced inside the block, to sinks in each cluster."""
    proxies = [sample.caller(name) for name in sample.clusters]
    try:
        with trace_sinks(sample) as sinks, configured(sample.mesh, [_everything()]):
            yield sinks
    finally:
        await_healed(
            sample,
            lambda: not any(PLACE in in_use(one, LISTENERS) for one in proxies),
            "the end of tracing",
        )


def the_gateway_is_in_no_trace(
    sample: Sample, caller: str, target: str, sinks: TraceSinks, host: str = ""
) -> Verdict:
    """Calls that went through a gateway to the target are in traces with a part of the caller's
    proxy and one of the server's, and no gateway has reported any part of any call. ``host``: by
    which name, where that is not the usual one."""
    calling = f"{sample.caller(caller).name}.{NAMESPACE}"
    # Any of its pods: connections through a gateway are kept, and may all have led to one of them.
    serving = [f"{one.name}.{NAMESPACE}" for one in sample.every_server() if one.version == target]
    gateways = [
        gateway_workload(sample.mesh, one.name).name
        for one in sample.topology.members
        if one.gateway is not None
    ]

    # About half as many of them are to reach the target, whatever its share is.
    times = ceil(_CALLS / 2 / sample.smallest_share)

    def complete() -> bool:
        _call(sample, caller, times, host)
        return len(_with_both(sinks.spans(), calling, serving)) > _ROUNDS * _CALLS

    converge(complete, what="traces with both sidecars", within=_WITHIN)
    spans = sinks.spans()
    whole = _with_both(spans, calling, serving)
    expected = (
        f"traces of calls from {calling} to {' or '.join(serving)} to have parts of both sidecars"
    )
    enough = Outcome.PASS if len(whole) > _ROUNDS * _CALLS else Outcome.FAIL
    seen = as_control(Verdict(enough, expected, f"{len(whole)} such traces"))
    return all_of([_no_gateway(spans, gateways), seen])


def _no_gateway(spans: list[Span], gateways: list[str]) -> Verdict:
    expected = f"no part of {' or '.join(gateways)} in any trace"
    theirs = [
        span.node
        for span in spans
        if span.node.startswith("router~") or any(name in span.node for name in gateways)
    ]
    if theirs:
        return Verdict(Outcome.FAIL, expected, f"{len(theirs)} parts, such as {theirs[0]}")
    return Verdict(Outcome.PASS, expected, f"none in {len(spans)} parts")


def _with_both(spans: list[Span], calling: str, serving: Sequence[str]) -> list[str]:
    """The traces with a part of the caller's proxy and one of any of the servers'."""
    by_trace: dict[str, set[str]] = {}
    for span in spans:
        by_trace.setdefault(span.trace, set()).add(span.node)
    return [
        trace
        for trace, nodes in by_trace.items()
        if _of_any(nodes, [calling]) and _of_any(nodes, serving)
    ]


def _of_any(nodes: set[str], pods: Sequence[str]) -> bool:
    return any(f"~{pod}~" in node for pod in pods for node in nodes)


def _call(sample: Sample, caller: str, times: int, host: str) -> None:
    """Calls without ids of our own: what is traced has an id that its proxy has made."""
    headers = {"host": host} if host else {}
    asked = [Question("http", _PATIENCE, url=HELLO, headers=headers)] * times
    ask_all(sample.caller(caller), asked, timeout=_WITHIN)


def _everything() -> Object:
    """Traces of all calls, to the provider that the mesh's configuration knows."""
    tracing = {"providers": [{"name": TRACES}], "randomSamplingPercentage": 100}
    return {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": f"traces-{secrets.token_hex(3)}", "namespace": SYSTEM},
        "spec": {"tracing": [tracing]},
    }
