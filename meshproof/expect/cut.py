"""Judges what was lost on connections that a server closes when it has drained a listener.

Envoy asks whoever uses a connection of a listener, or filter chain, that was replaced to close it,
and closes those that nobody used when the drain time is over ("any remaining connections are
closed", https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/lds). HTTP/1.1 has no
answer to a request that sets out on one at that moment, and Istio's proxies do not send it again
(https://github.com/envoyproxy/envoy/issues/2715, 14350 and 47468): nobody promises anything of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect.loss import told_of
from meshproof.expect.verdict import Outcome, Verdict
from meshproof.mesh.operator_config import DRAIN_SECONDS
from meshproof.traffic.stream_history import History, StreamCall, Stretch, kinds_of_loss

_ENDED = "UC"
"""Envoy's flag of an upstream connection that ended before there was an answer."""
_SLACK = 0.2
"""Seconds from a proxy's sending a request until its server has it."""
_LATE = 2.0
"""Seconds that a busy proxy may be late with the end of its drain."""


def lost_to_drains_alone(history: History, replaced: Sequence[Stretch]) -> Verdict:
    """PASS when every call was answered, but for requests on connections that servers closed when
    they had drained a listener; how many those were is told.

    Such a request ends with its connection. That connection had carried a call of its caller's
    before, and none for as long as listeners are drained: who uses it meanwhile is told to close
    it. ``replaced``: when servers' listeners were replaced; a drain ends that much later.
    """
    expected = f"none of {len(history.calls)} calls to be lost but to the end of a drain"
    cut = [one for one in history.lost if _was_cut(one, history, replaced)]
    others = [one for one in history.lost if one not in cut]
    if others:
        told = f"{told_of(history)}; {len(others)} of them by no drain ({kinds_of_loss(others)})"
        return Verdict(Outcome.FAIL, expected, told)
    observed = told_of(history)
    if cut:
        observed += f"; all {len(cut)} met the end of a connection that had idled in a drain"
    return Verdict(Outcome.PASS, expected, observed)


def _was_cut(call: StreamCall, history: History, replaced: Sequence[Stretch]) -> bool:
    """Whether a request met the end of a connection that its server had drained."""
    log = call.log
    if log is None or not call.kind.is_http or not log.upstream_local:
        return False
    if _ENDED not in log.flags.split(","):
        return False
    if not any(
        one.begin + DRAIN_SECONDS - _SLACK <= call.over
        and call.sent <= one.end + DRAIN_SECONDS + _LATE
        for one in replaced
    ):
        return False
    before = [
        one.sent
        for one in history.of(call.caller)
        if one.log is not None
        and one.log.upstream_local == log.upstream_local
        and one.sent < call.sent
    ]
    return bool(before) and call.over - max(before) >= DRAIN_SECONDS - _SLACK
