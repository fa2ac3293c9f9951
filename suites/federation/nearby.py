"""What is claimed of a mesh of several clusters while another, federated with it, fails."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, calls_to_meet
from meshproof.expect.control import as_control, with_control
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.federation.moving import impatient_calls

_PATIENCE, _PROBES = 3.0, 24
Known = Mapping[str, frozenset[Endpoint]]
"""What callers' proxies know of the service, by the callers' clusters."""


def callers_beside(sample: Sample, lost: str) -> list[str]:
    """The clusters of other meshes than ``lost`` is of, whose istiod knows a version elsewhere."""
    topology = sample.topology
    callers = dict.fromkeys(caller for caller, _ in topology.pairs)
    return [one for one in callers if topology[one].mesh != topology[lost].mesh]


def known_beside(sample: Sample, lost: str) -> Known:
    """What the proxies of these callers know of the service by its plain name."""
    return {
        name: frozenset(endpoints(sample.caller(name), outbound(HOST, PORT)))
        for name in callers_beside(sample, lost)
    }


def await_rewired(sample: Sample, lost: str) -> None:
    """Wait until callers beside ``lost`` are answered, or half a minute has passed: a re-wiring of
    the lab ends every connection that is open between clusters, and a proxy finds out by a call."""
    plan = Plan(times=_PROBES, patience=_PATIENCE, fresh=True)

    def failed() -> list[str]:
        callers = [sample.caller(name) for name in callers_beside(sample, lost)]
        made = [one for caller in callers for one in answers(sample, caller, plan)]
        return [str(one) for one in made if not one.succeeded]

    arrive(sample.mesh, failed, until=lambda left: not left, what="calls after a re-wiring")


def goes_on_without(sample: Sample, lost: str, before: Known) -> Verdict:
    """While a mesh is lost, callers of another one know what they knew ``before``, and are answered
    by all versions of their own; and nobody answers by the global name of the lost one."""
    times = calls_to_meet(sample.smallest_share)
    verdicts = []
    for name, known in before.items():
        responses = call(sample, sample.caller(name), Plan(times=times, patience=_PATIENCE))
        verdicts += [_knows(sample, name, known)]
        verdicts += [answered_from_home(responses, sample.reached_from(name))]
    gone = [
        _is_lost(sample, name, one)
        for name, one in sample.topology.imports
        if lost in sample.topology.providers(one)
    ]
    nobody = Verdict(Outcome.INCONCLUSIVE, f"somebody to go on without {lost}", "no callers")
    return with_control(all_of(verdicts or [nobody]), all_of(gone))


def _is_lost(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """The control: nobody answers by the global name."""
    responses = impatient_calls(sample, importer, imported)
    answered = sum(one.succeeded for one in responses)
    expected = f"no call from {importer} to {imported.host} to be answered"
    outcome = Outcome.FAIL if answered or not responses else Outcome.PASS
    return as_control(Verdict(outcome, expected, f"{answered} of {len(responses)} were"))


def _knows(sample: Sample, caller: str, before: frozenset[Endpoint]) -> Verdict:
    now = frozenset(endpoints(sample.caller(caller), outbound(HOST, PORT)))
    expected = f"{caller} to know the {len(before)} endpoints of {HOST} that it knew"
    outcome = Outcome.PASS if now == before and now else Outcome.FAIL
    return Verdict(outcome, expected, f"{caller} knows {len(now)}, {len(now & before)} of those")
