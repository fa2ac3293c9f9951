"""mTLS modes that are turned while calls go on."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from meshproof.mesh.config_dump import takes_plain_text
from meshproof.model import Mtls
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import mtls_mode, require
from meshproof.traffic.stream import Stream, StreamPlan
from meshproof.traffic.stream_history import CallKind
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import PORT, Sample
from suites.change.claims import Outside

_MEANWHILE = 10.0
_TIMES = 5
# Another mode replaces listeners. Whoever uses a connection from before is asked to close it, and
# those that nobody has used meanwhile are closed in the end, as those of TCP are, whatever passes
# over them: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/lds. So there are
# none that are kept by TCP here, and so many calls that few by HTTP are idle for so long: a busy
# proxy has more of them than it needs most of the time.
_RATE = 60.0
_KINDS = (CallKind.HTTP_KEPT, CallKind.HTTP_FRESH, CallKind.TCP_FRESH)


def over_turns(sample: Sample, mode: Mtls = Mtls.PERMISSIVE) -> tuple[Found, list[Outside]]:
    """What comes of calls while the mesh is turned to another mode, and back; and what callers
    without a sidecar get before, between and afterwards. A stage begins when the proxies of all
    servers have its mode."""
    own = sample.mesh.deployment.mtls
    stages: list[Outside] = []

    def doing(stream: Stream, _: ExitStack) -> None:
        stages.append(Outside(own, "before anything was done", from_outside(sample)))
        with ExitStack() as turned:
            with stream.mark(f"the mesh is turned to mTLS {mode.value}"):
                turned.enter_context(mtls_mode(sample, mode))
                _require(sample, mode)
            stages.append(Outside(mode, f"with mTLS {mode.value}", from_outside(sample)))
            stream.flow_for(_MEANWHILE)
            with stream.mark(f"it is turned back to {own.value}"):
                turned.close()
                _require(sample, own)
        stages.append(Outside(own, f"once it was {own.value} again", from_outside(sample)))
        stream.flow_for(_MEANWHILE)

    return over(sample, doing, plan=StreamPlan(rate=_RATE, kinds=_KINDS)), stages


def from_outside(sample: Sample) -> list[Response]:
    """What callers without a sidecar get who ask for helloworld by its name, each of his own
    cluster: a connection for each call."""
    plan = Plan(times=_TIMES, patience=5, fresh=True)
    outsiders = [sample.outsider(name) for name in sample.homes]
    found = side_by_side(sample.mesh.shell, lambda one: call(sample, one, plan), outsiders)
    return [response for responses in found for response in responses]


def _require(sample: Sample, mode: Mtls) -> None:
    """Wait until the proxies of all servers take plain text, or none does."""
    due, servers = mode is not Mtls.STRICT, sample.every_server()
    look = partial(takes_plain_text, port=PORT)

    def others() -> list[str]:
        found = side_by_side(sample.mesh.shell, look, servers)
        return [str(one) for one, takes in zip(servers, found, strict=True) if takes is not due]

    require(others, until=lambda left: not left, what=f"servers all of mTLS {mode.value}")
