"""What is claimed of machines that register themselves, leave, and are not let in."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet, none_served_by, succeeded
from meshproof.kube.names import ask_name
from meshproof.lab.network.router import OWN_ADDRESS
from meshproof.mesh.istiod import CONTAINER, istiod_of
from meshproof.mesh.machines import connected
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.machines import known_versions
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, Sample
from suites.machines.membership import NOBODY, entry_of

GONE_WITHIN = 30.0
"""Seconds: istiod waits for ten (PILOT_WORKLOAD_ENTRY_GRACE_PERIOD), and a machine's agent has some
to end."""
_TRIED_WITHIN = 60.0
_TRIED_BEFORE = 8
"""Seconds in which it may have been refused before anybody looked: less than it takes to leave."""
NOT_AUTHENTICATED = "Unauthenticated"
"""How gRPC calls it when a client is not who it must be."""


def registered(sample: Sample, machine: str) -> Verdict:
    """A machine's WorkloadEntry is there as istiod made it: with its address, network, locality,
    account and labels, and connected."""
    one = sample.machines[machine]
    labels = {"version": one.version} if one.version else {}
    due = {
        "address": str(one.address),
        "network": one.spec.network,
        "locality": one.spec.locality.replace(".", "/"),
        "serviceAccount": one.account,
        **{f"label {key}": value for key, value in labels.items()},
    }
    expected = f"a WorkloadEntry of {machine} with {', '.join(f'{k} {v}' for k, v in due.items())}"
    entry = entry_of(sample, machine)
    if entry is None:
        return Verdict(Outcome.FAIL, expected, f"there is none of {machine} at {one.address}")
    spec = entry["spec"]
    said = {key: str(spec.get(key, "")) for key in ("address", "network", "locality")}
    said["serviceAccount"] = str(spec.get("serviceAccount", ""))
    said |= {f"label {key}": str(spec.get("labels", {}).get(key, "")) for key in labels}
    wrong = [f"{key} is {said[key] or 'nothing'}" for key in due if said[key] != due[key]]
    if not connected(entry):
        wrong.append("it is not said to be connected")
    if wrong:
        return Verdict(Outcome.FAIL, expected, "; ".join(wrong), {"entry": str(spec)})
    return Verdict(Outcome.PASS, expected, "so it is", {"entry": str(spec)})


def entry_goes(
    sample: Sample, machine: str, within: float = GONE_WITHIN, at: IPv4Address | None = None
) -> Verdict:
    """The WorkloadEntry of a machine that was there goes by itself within ``within`` seconds, when
    nothing is connected any more. ``at``: the address that it had, of a machine that has none now,
    or another."""
    begin = time.monotonic()
    expected = f"the WorkloadEntry of {machine} to go within {within:.0f} s"
    if entry_of(sample, machine, at) is None:
        return Verdict(Outcome.INCONCLUSIVE, expected, "there was none to begin with")
    gone = converge(lambda: entry_of(sample, machine, at) is None, what=expected, within=within)
    seconds = time.monotonic() - begin
    if not gone:
        return Verdict(Outcome.FAIL, expected, f"that of {machine} is still there")
    return Verdict(Outcome.PASS, expected, f"gone {seconds:.0f} s after it was looked for")


def nobody_is_led_there(sample: Sample, machine: str) -> Verdict:
    """From each cluster calls by helloworld's name succeed, and none is answered by the version of
    a machine that has left."""
    version = sample.machines[machine].version
    verdicts = []
    for name in sample.clusters:
        caller = sample.caller(name)
        share = 1 / (2 * len(known_versions(sample, caller)))
        responses = call(sample, caller, Plan(times=calls_to_meet(share, 2**-12)))
        verdicts += [succeeded(responses), none_served_by(responses, version)]
    return all_of(verdicts)


def refused_for_its_token(sample: Sample, machine: str) -> Verdict:
    """A machine with a token that no API server gave is not let in, and its agent says why."""
    one = sample.machines[machine]
    return _refused(sample, machine, one.agent_log, NOT_AUTHENTICATED)


def refused_for_its_group(sample: Sample, machine: str) -> Verdict:
    """A machine of a group that there is not is not registered, and istiod says so."""
    return _refused_by_istiod(sample, machine, f"cannot find WorkloadGroup {NAMESPACE}/{NOBODY}")


def refused_for_its_account(sample: Sample, machine: str, account: str) -> Verdict:
    """A machine that shows the token of an account which is not its group's is not registered, and
    istiod names both."""
    own = sample.machines[machine].account
    words = f'service account mismatch: "{account}" vs "{own}"'
    return _refused_by_istiod(sample, machine, words)


def refused_for_its_age(sample: Sample, machine: str) -> Verdict:
    """A machine with a token whose time is up is not let in, and istiod says that it has
    expired, as the API server told it (pkg/serviceaccount/claims.go of Kubernetes)."""
    return _refused_by_istiod(sample, machine, "service account token has expired")


def names_are_answered(sample: Sample, machine: str) -> Verdict:
    """A machine's DNS proxy tells it helloworld's address, that of the Service in the cluster which
    serves it, and makes no name up."""
    one = sample.machines[machine]
    service = sample.mesh.cluster(one.cluster).core.read_namespaced_service(HELLOWORLD, NAMESPACE)
    due = str(service.spec.cluster_ip)
    nowhere = f"nowhere.{NAMESPACE}.svc.cluster.local"
    expected = f"{HOST} to be {due} on {machine}, and {nowhere} to have no address"
    answer, made_up = (ask_name(one, name, OWN_ADDRESS) for name in (HOST, nowhere))
    evidence = {HOST: str(answer), nowhere: str(made_up)}
    if [str(found) for found in answer.addresses] != [due]:
        return Verdict(Outcome.FAIL, expected, f"{HOST} is {answer} on {machine}", evidence)
    if made_up.exists:
        return Verdict(Outcome.FAIL, expected, f"{nowhere} is {made_up}", evidence)
    return Verdict(Outcome.PASS, expected, f"{answer}; {nowhere} is {made_up}", evidence)


def _refused(sample: Sample, machine: str, said: Callable[[], str], words: str) -> Verdict:
    """PASS when the words are said and no WorkloadEntry is connected. INCONCLUSIVE: neither came
    about, so that nobody knows whether the machine tried."""
    expected = f"{machine} to be refused, with '{words}'"

    def seen() -> str:
        if connected(entry_of(sample, machine)):
            return "in"
        return "out" if words in said() else ""

    last = [""]

    def look() -> bool:
        last[0] = seen()
        return bool(last[0])

    converge(look, what=expected, within=_TRIED_WITHIN)
    if last[0] == "in":
        return Verdict(Outcome.FAIL, expected, f"{machine} was let in")
    if not last[0]:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{machine} was neither let in nor refused")
    return Verdict(Outcome.PASS, expected, f"'{words}'")


def _refused_by_istiod(sample: Sample, machine: str, words: str) -> Verdict:
    """The same with words that are looked for in the log of the istiod which serves it."""
    istiod = istiod_of(sample.mesh, sample.topology.machine(machine).primary)
    begin = time.monotonic()

    def said() -> str:
        since = math.ceil(time.monotonic() - begin) + _TRIED_BEFORE
        return istiod.log(CONTAINER, since_seconds=since)

    return _refused(sample, machine, said, words)
