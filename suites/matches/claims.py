"""What is claimed of matches: which route took a request is told to whoever answers it."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home
from meshproof.process import side_by_side
from meshproof.traffic.calls import call_all
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample
from suites.matches.kinds import DEFAULT, MARK, Kind, ends


def taken_and_left(sample: Sample, kinds: Sequence[Kind]) -> Verdict:
    """From each cluster, requests that a kind of match takes go its route, to the one version, and
    those that it leaves go the default route, to the other."""
    shell = sample.mesh.shell
    found = side_by_side(shell, lambda name: _from(sample, name, kinds), sample.clusters)
    return all_of(verdict for verdicts in found for verdict in verdicts)


def _from(sample: Sample, caller: str, kinds: Sequence[Kind]) -> list[Verdict]:
    otherwise, version = ends(sample)
    due = [(plan, kind.name, version) for kind in kinds for plan in kind.hits]
    due += [(plan, DEFAULT, otherwise) for kind in kinds for plan in kind.misses]
    batches = call_all(sample, sample.caller(caller), [plan for plan, _, _ in due])
    return [
        verdict
        for (plan, mark, target), batch in zip(due, batches, strict=True)
        for verdict in (
            _marked(batch, mark, f"{plan.method} {plan.url} from {caller}"),
            answered_from_home(batch, {target: sample.versions[target]}),
        )
    ]


def _marked(responses: Sequence[Response], mark: str, what: str) -> Verdict:
    """Whether each of the answers tells of this route; calls without an answer are for others to
    judge."""
    expected = f"{what} to go by the route {mark}"
    told = [one.shown(MARK) for one in responses if one.succeeded]
    wrong = [one for one in told if one != mark]
    if wrong:
        observed = f"{len(wrong)} of {len(told)} went by the route {wrong[0] or 'of nobody'}"
        return Verdict(Outcome.FAIL, expected, f"{what}: {observed}")
    if not told:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call was answered")
    return Verdict(Outcome.PASS, expected, f"all {len(told)}")
