"""Parts of the calls by a global name: for a subset of the provider's, aborted, or delayed.

Envoy draws a random number for each call: what is judged is a share
(https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meshproof.expect import Outcome, Verdict, all_of, calls_needed, part_of, refused_with
from meshproof.kube.objects import Object
from meshproof.mesh.gateways import sni_of
from meshproof.model import Exposure
from meshproof.traffic.access_log import entries_of_all
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.workloads.exposed import exposed_versions, url_of
from meshproof.workloads.sample import PORT, Sample
from suites.federation.claims import answered_by_the_provider
from suites.federation.rules import SUBSET, having
from suites.federation.setting import asker

PERCENT = 30
_TOLERANCE = 0.15
"""As for versions' shares: how many calls it takes depends on it, and which interval is judged on
them (``part_of``)."""
_PART, _TO_SUBSET, _ABORTED, _DELAYED = "x-part", "subset", "aborted", "delayed"
_STATUS, _DELAY = 418, 0.1
_LEAST = 0.95 * _DELAY
"""Seconds: the caller's clock and the proxy's timer differ by milliseconds."""


def in_parts(imported: Exposure, percent: int = PERCENT) -> list[Object]:
    """Routes that choose by a header what becomes of so many percent of the calls."""
    share = {"value": percent}
    abort = {"abort": {"httpStatus": _STATUS, "percentage": share}}
    delay = {"delay": {"fixedDelay": f"{_DELAY}s", "percentage": share}}
    all_there: Object = {"route": [{"destination": {"host": imported.host}}]}
    weights = {SUBSET: percent, "": 100 - percent}
    shared = [
        {"destination": {"host": imported.host, **({"subset": one} if one else {})}, "weight": part}
        for one, part in weights.items()
    ]
    return [
        {"match": [having(_PART, _TO_SUBSET)], "route": shared},
        {"match": [having(_PART, _ABORTED)], "fault": abort, **all_there},
        {"match": [having(_PART, _DELAYED)], "fault": delay, **all_there},
        all_there,
    ]


def subset_is_asked_for_in_part(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """So many percent of the calls are for the subset, as the servers heard by its SNI, and all
    others for the whole service; the provider answers all of them."""
    responses = _calls(sample, importer, imported, _TO_SUBSET)
    homes = exposed_versions(sample, imported)
    servers = [one for one in sample.servers().values() if one.version in homes]
    lines = entries_of_all(servers, [one.id for one in responses])
    subset, whole = (sni_of(imported.host, PORT, one) for one in (SUBSET, ""))
    heard = [lines[one.id].sni if one.id in lines else None for one in responses]
    asked = [None if one is None else one == subset for one in heard]
    return all_of(
        [
            answered_by_the_provider(sample, imported, responses),
            _no_other(heard, (subset, whole)),
            _part(asked, "the subset to be asked for by"),
        ]
    )


def aborted_in_part(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """So many percent of the calls end in a fault at the caller's own proxy, and the provider
    answers all others."""
    responses = _calls(sample, importer, imported, _ABORTED)
    ended = [one.status == _STATUS for one in responses]
    aborted = [one for one in responses if one.status == _STATUS]
    others = [one for one in responses if one.status != _STATUS]
    return all_of(
        [
            _part(ended, "the fault to end"),
            refused_with(aborted, status=_STATUS, flags="FI"),
            answered_by_the_provider(sample, imported, others),
        ]
    )


def delayed_in_part(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """So many percent of the calls are answered later, as their log and the clock say, and the
    provider answers all of them."""
    responses = _calls(sample, importer, imported, _DELAYED)
    late = [None if one.log is None else "DI" in one.log.flags.split(",") for one in responses]
    return all_of(
        [
            answered_by_the_provider(sample, imported, responses),
            _part(late, "the delay to hold up"),
            _by_the_clock(responses, late),
        ]
    )


def _calls(sample: Sample, importer: str, imported: Exposure, part: str) -> list[Response]:
    times = calls_needed(PERCENT / 100, _TOLERANCE)
    plan = Plan(url_of(imported), times=times, headers={_PART: part})
    return call(sample, asker(sample, importer), plan)


def _part(calls: Sequence[bool | None], what: str) -> Verdict:
    told = part_of(calls, what, PERCENT / 100, _TOLERANCE)
    return replace(told, observed=f"{what.partition(' to ')[0]}: {told.observed}")


def _no_other(heard: Sequence[str | None], due: Sequence[str]) -> Verdict:
    other = [one for one in heard if one is not None and one not in due]
    expected = f"the servers to hear {' or '.join(due)}"
    outcome = Outcome.FAIL if other else Outcome.PASS
    return Verdict(outcome, expected, f"{len(other)} calls for {other[0]}" if other else "no other")


def _by_the_clock(responses: Sequence[Response], late: Sequence[bool | None]) -> Verdict:
    """Whether those that are flagged took as long as they should, and the quickest other less."""
    flagged = [one for one, yes in zip(responses, late, strict=True) if yes]
    prompt = [one.seconds for one, yes in zip(responses, late, strict=True) if yes is False]
    expected = f"{len(flagged)} calls to take {_DELAY} s longer than others"
    short = [one for one in flagged if one.seconds < _LEAST]
    if short:
        observed = f"{len(short)} did not, such as one of {short[0].seconds} s: {short[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    if prompt and min(prompt) >= _DELAY:
        return Verdict(Outcome.FAIL, expected, f"the quickest of others took {min(prompt)} s")
    outcome = Outcome.PASS if flagged and prompt else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{len(flagged)} delayed, {len(prompt)} not")
