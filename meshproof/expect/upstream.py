"""Judges which way calls took, by the caller's log and by what crossed the wire."""

from __future__ import annotations

from meshproof.expect.calls import believable, succeeded, went_through
from meshproof.expect.verdict import Outcome, Verdict, all_of
from meshproof.model import Mtls
from meshproof.traffic.upstream import Upstream
from meshproof.traffic.wire import Watched


def went_to(watched: Watched, upstream: Upstream) -> Verdict:
    """PASS when all calls are believable and succeeded, and those that the version answered went
    to its upstream, by the caller's log, and were seen to pass on the wire.

    The wire's part: at least one segment for each answer that begins a TLS record, or plain HTTP
    where mTLS is disabled; fewer are a FAIL. INCONCLUSIVE: the version answered none of the
    calls. Rule: ``topologies.md``, Path.
    """
    theirs = [one for one in watched.responses if one.version == upstream.version]
    return all_of(
        [
            believable(watched.responses),
            succeeded(watched.responses),
            went_through(theirs, upstream.hosts, upstream.what),
            _seen_on_the_wire(watched, len(theirs), upstream),
        ]
    )


def _seen_on_the_wire(watched: Watched, answers: int, upstream: Upstream) -> Verdict:
    plain = watched.sample.mesh.deployment.mtls is Mtls.DISABLED
    kind = "http" if plain else "tls"
    seen = sum(watched.towards(way.address, way.port, kind) for way in upstream.ways)
    expected = f"the wire to see at least {answers} requests to {upstream.what} pass, as {kind}"
    outcome = Outcome.PASS if seen >= answers else Outcome.FAIL
    return Verdict(outcome, expected, f"{seen} segments", {"counted": str(watched.counted)})
