"""What is claimed of visibility: who is answered, and who is not even told that there is a
service."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    refused_with,
)
from meshproof.expect.control import as_control
from meshproof.traffic.calls import HELLO, Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.workloads.sample import NAMESPACE, PORT, Sample
from suites.visibility.narrowing import CLUSTER, MARK, SERVICE, governed

_FEW = 12
_URL = f"http://{SERVICE}.{NAMESPACE}:{PORT}/hello"


def hidden_where_configured(sample: Sample, cluster: str) -> Verdict:
    """Callers that the cluster governs are not answered by the Service, which their proxies send
    nothing to; all others are answered by every version, and by helloworld all are."""
    times = calls_to_meet(sample.smallest_share)
    hidden = governed(sample, cluster)
    asked = call_from_each(sample, Plan(_URL, times))
    usual = call_from_each(sample, Plan(HELLO, times))
    return all_of(
        [
            *(
                _unseen(batch) if batch[0].caller in hidden else _answered(sample, batch)
                for batch in asked
            ),
            *(as_control(_answered(sample, batch)) for batch in usual),
        ]
    )


def marked_from_outside(sample: Sample, mark: str) -> Verdict:
    """Each call to helloworld, from each cluster, bears the mark of the rule in another namespace,
    or none where ``mark`` is ""; every version answers."""
    plan = Plan(HELLO, calls_to_meet(sample.smallest_share), {"x-show-headers": MARK})
    batches = call_from_each(sample, plan)
    answered = [_answered(sample, batch) for batch in batches]
    return all_of([*answered, *(_marked(batch, mark) for batch in batches)])


def distrusted_from_outside(sample: Sample) -> Verdict:
    """No call to helloworld, from any cluster, is answered: callers' proxies obey the policy of
    another namespace, by which no server is who it should be."""
    # What does not connect may be tried again: that is Istio's usual policy.
    return all_of(
        refused_with(batch, status=503, flags="UF", detail="CERTIFICATE_VERIFY_FAILED")
        for batch in call_from_each(sample, Plan(HELLO, _FEW))
    )


def trusted_as_usual(sample: Sample) -> Verdict:
    """Every version answers calls to helloworld from each cluster."""
    times = calls_to_meet(sample.smallest_share)
    return all_of(_answered(sample, batch) for batch in call_from_each(sample, Plan(HELLO, times)))


def _answered(sample: Sample, responses: Sequence[Response]) -> Verdict:
    return answered_from_home(responses, sample.reached_from(responses[0].caller))


def _unseen(responses: Sequence[Response]) -> Verdict:
    """Whether no call was answered by a version, nor sent to the Service by the caller's proxy."""
    caller = responses[0].caller
    expected = f"{SERVICE} not to be there for {len(responses)} calls from {caller}"
    answered = [one for one in responses if one.succeeded]
    if answered:
        observed = f"{len(answered)} from {caller} were answered, such as {answered[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    logs = [one.log for one in responses if one.log is not None]
    sent = [log for log in logs if log.upstream_cluster == CLUSTER]
    if sent:
        observed = f"{len(sent)} from {caller} were sent to {CLUSTER}"
        return Verdict(Outcome.FAIL, expected, observed)
    if len(logs) < len(responses):
        observed = f"{len(responses) - len(logs)} without a line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"none of {len(logs)} was sent to it")


def _marked(responses: Sequence[Response], mark: str) -> Verdict:
    expected = f"{len(responses)} calls to bear the mark '{mark}'"
    other = [one for one in responses if one.shown(MARK) != mark]
    if other:
        observed = f"{len(other)} from {other[0].caller} bear the mark '{other[0].shown(MARK)}'"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "all of them")
