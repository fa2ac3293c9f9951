"""What is claimed of several machines of one group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet, succeeded
from meshproof.kube.workload import Workload
from meshproof.mesh.machines import connected
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import Sample
from suites.machines.group import members

_TOLD_WITHIN = 30.0


def answer_as_one(sample: Sample, group: str, machines: Collection[str]) -> Verdict:
    """These machines, and no others, are registered as of a machine's group, each by an entry of
    its own; calls that are led to its version are answered by each of them, and by nobody else,
    with the identity of the group's account.

    INCONCLUSIVE: no pod's istiod knows the version.
    """
    version = sample.machines[group].version
    names = [name for name in sample.clusters if version in sample.machine_versions(name)]
    verdicts = [_registered(sample, group, machines)]
    for name in names:
        caller = sample.caller(name)
        responses = call(sample, caller, Plan(times=calls_to_meet(1 / (2 * len(machines)))))
        verdicts += [succeeded(responses), _answered(sample, caller, responses, group, machines)]
    if not names:
        expected = f"callers that know {version}"
        verdicts.append(Verdict(Outcome.INCONCLUSIVE, expected, f"nobody knows {version}"))
    return all_of(verdicts)


def _registered(sample: Sample, group: str, machines: Collection[str]) -> Verdict:
    due = {str(sample.machines[one].address): one for one in machines}
    expected = f"{', '.join(machines)}, and no others, to be registered as of {group}'s group"

    def there() -> bool:
        return members(sample, group).keys() == due.keys()

    converge(there, what=expected, within=_TOLD_WITHIN)
    found = members(sample, group)
    missing = [name for address, name in due.items() if not connected(found.get(address))]
    if missing:
        observed = f"{', '.join(missing)} is not registered there, or not connected"
        return Verdict(Outcome.FAIL, expected, observed)
    if others := found.keys() - due.keys():
        return Verdict(Outcome.FAIL, expected, f"{', '.join(sorted(others))} is there as well")
    return Verdict(Outcome.PASS, expected, ", ".join(found))


def _answered(
    sample: Sample,
    caller: Workload,
    responses: Sequence[Response],
    group: str,
    machines: Collection[str],
) -> Verdict:
    """Who answered, by its own name, and as whom it is known to the caller's proxy."""
    identity = sample.machines[group].identity
    expected = f"{' and '.join(machines)} to answer calls from {caller.cluster} as {identity}"
    heard = Counter(one.pod or "nobody that is known" for one in responses)
    told = ", ".join(f"{count} x {name}" for name, count in heard.most_common())
    if silent := sorted(set(machines) - heard.keys()):
        observed = f"{', '.join(silent)} did not answer {caller.cluster}: {told}"
        return Verdict(Outcome.FAIL, expected, observed)
    if others := sorted(heard.keys() - set(machines)):
        return Verdict(Outcome.FAIL, expected, f"{others[0]} answered {caller.cluster}: {told}")
    peers = {one.log.upstream_peer for one in responses if one.log is not None}
    if not peers:
        observed = f"no call from {caller.cluster} is in its proxy's log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    if strange := peers - {identity}:
        observed = f"{caller.cluster} was answered as {strange.pop() or 'nobody'}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, told)
