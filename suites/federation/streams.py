"""Calls by a global name that go on while the provider's gateway gets another address.

No istiod of the consumer's is told of it: what is called is written in the consumer's own entry.
"""

from __future__ import annotations

from contextlib import ExitStack

from meshproof.expect import Outcome, Verdict
from meshproof.expect.loss import (
    all_heard,
    kept_to_ways,
    lost_only_until,
    nobody_missing,
    of_a_stream,
)
from meshproof.model import Exposure
from meshproof.traffic.stream import Stream, StreamPlan
from meshproof.traffic.stream_history import CallKind, History
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.exposed import exposed_versions, hosts_of, url_of
from meshproof.workloads.sample import TCP_PORT, Sample
from meshproof.workloads.scale import usual
from suites.federation.moving import gateway_moved, write_anew

MOVED, RENEWED = "the provider's gateway gets another address", "the entries are written anew"
"""What is done, as a stream's marks have it."""
FOLLOWS_WITHIN = 15.0
"""Seconds until callers go to the new address once an entry has it: nobody promises a time."""
_WITHOUT, _SLACK = 12.0, 2.0
"""Seconds of calls between the two, and in which answers that are under way come in."""
_AT_THE_END = 15.0
_RATE = 20.0
"""Calls a second: each of those that nobody answers waits for its patience to end."""
# A connection by TCP that is kept goes with the gateway's address, and hangs there: its line in the
# caller's log, without which its answers are not believed, comes when it ends.
_KINDS = tuple(one for one in CallKind if one is not CallKind.TCP_KEPT)


def over_a_move(
    sample: Sample, imported: Exposure, *, moved: bool = True, renewed: bool = True
) -> Found:
    """What comes of the consumers' calls while the provider's gateway gets another address, nobody
    answers at the old one any more, and after a while the consumers' entries are written anew.

    ``moved``, ``renewed``: whether that is done, or only said.
    """
    importers = sample.topology.importers(imported)
    ways = hosts_of(sample, imported)

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(MOVED):
            if moved:
                stack.enter_context(gateway_moved(sample, imported))
        stream.flow_for(_WITHOUT)
        with stream.mark(RENEWED):
            for name in importers if renewed else ():
                write_anew(sample, name, imported)
        ways.update(hosts_of(sample, imported))
        stream.flow_for(FOLLOWS_WITHIN + _AT_THE_END)

    to = f"{imported.host}:{TCP_PORT}"
    plan = StreamPlan(kinds=_KINDS, rate=_RATE, url=url_of(imported), to=to, app=DNS_SLEEP)
    history = over(sample, doing, callers=importers, plan=plan).history
    versions = exposed_versions(sample, imported)
    every = sum(usual(sample, one) for one in versions)
    shares = {version: usual(sample, version) / every for version in versions}
    pods = {one.name for one in sample.servers().values() if one.version in versions}
    return Found(
        history,
        dict.fromkeys(importers, shares),
        dict.fromkeys(importers, dict.fromkeys(versions, ways)),
        dict.fromkeys(importers, pods),
    )


def lost_until_renewed(found: Found) -> Verdict:
    """From when the gateway has moved until the entries are written anew no call is answered, and
    none is lost much later: from then on the provider's instances answer, and nobody else, by its
    gateway. How many were lost, and for how long, is told."""
    history = found.history
    later = history.part(history.done + FOLLOWS_WITHIN)
    claims = [_silent(history), lost_only_until(history, FOLLOWS_WITHIN)]
    if later.calls:
        claims += [
            nobody_missing(later, found.shares, found.behind_one),
            kept_to_ways(history, found.ways),
            all_heard(history, found.pods, history.end - _AT_THE_END, "at the end"),
        ]
    return of_a_stream(history, claims)


def _silent(history: History) -> Verdict:
    """Whether nobody answered between the move and the renewal, of those calls that set out then
    and had ended when that began."""
    ends = {one.what: (one.begin, one.end) for one in history.marks}
    begin, until = ends[MOVED][1] + _SLACK, ends[RENEWED][0]
    expected = f"no call to be answered once {MOVED}, until {RENEWED}"
    calls = [one for one in history.between(begin, until) if one.at + one.seconds < until]
    answered = [one for one in calls if one.answered]
    if answered:
        when = history.relative(answered[0].at)
        observed = f"{len(answered)} of {len(calls)} were answered, the first of them {when}"
        return Verdict(Outcome.FAIL, expected, observed)
    silent = [name for name in history.counts if not any(one.caller == name for one in calls)]
    if silent:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"no call from {silent[0]} ended then")
    return Verdict(Outcome.PASS, expected, f"none of {len(calls)} calls was")
