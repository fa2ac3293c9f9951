"""What is claimed of authorization at the workload, for callers in all clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_to_meet,
    refused_with,
    served_by_exactly,
    succeeded,
)
from meshproof.expect.denied import DENIED, FORBIDDEN, denied_by_servers
from meshproof.kube.objects import Object
from meshproof.mesh.configuration import configured
from meshproof.process import side_by_side
from meshproof.traffic.calls import HELLO, Plan, answers, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.settle import arrive, await_drained, await_healed
from meshproof.workloads.sample import Sample
from suites.gateways.manifests import CLOSED_PATH, OPEN_PATH

_WELL = 200
# A connection that is open when a policy comes may bear one more request under the old rules:
# each of a proxy's two workers keeps one to each endpoint, and 40 calls meet all of them.
_PROBES = 40
_CLOSED = HELLO.removesuffix(OPEN_PATH) + CLOSED_PATH


def denied(sample: Sample) -> Verdict:
    """All versions refuse sleep of every cluster with 403, and name it in their proxies' logs."""
    return all_of(
        verdict
        for responses in _from_everywhere(sample, HELLO)
        for verdict in (
            refused_with(responses, status=FORBIDDEN, detail=DENIED),
            believable(responses),
            denied_by_servers(sample, responses, "policy[deny-sleep]"),
        )
    )


def allowed(sample: Sample) -> Verdict:
    """All versions answer sleep where it is allowed, and refuse it where only somebody else is."""
    answered = [
        verdict
        for responses in _from_everywhere(sample, HELLO)
        for verdict in (
            succeeded(responses),
            believable(responses),
            served_by_exactly(responses, sample.reached_from(responses[0].caller)),
            _identified(sample, responses),
        )
    ]
    refused = [
        verdict
        for responses in _from_everywhere(sample, _CLOSED)
        for verdict in (
            refused_with(responses, status=FORBIDDEN, detail=DENIED),
            denied_by_servers(sample, responses, "policy[none]"),
        )
    ]
    return all_of([*answered, *refused])


@contextmanager
def enforced(sample: Sample, policy: Object, path: str) -> Iterator[None]:
    """The policy is there inside the block, and all that call ``path`` meet it; afterwards the
    mesh is as it was."""
    url = HELLO.removesuffix(OPEN_PATH) + path
    try:
        with configured(sample.mesh, [policy]):
            statuses = partial(_statuses, sample, url)
            arrive(sample.mesh, statuses, until=_only_forbidden, what="the policy")
            await_drained(sample)
            yield
    finally:
        name = policy["metadata"]["name"]
        await_healed(sample, lambda: _nobody_is_refused(sample, url), f"the end of {name}")


def _nobody_is_refused(sample: Sample, url: str) -> bool:
    """Whether helloworld answers all, and refuses nobody where a policy did."""
    return _statuses(sample, HELLO) == {_WELL} and FORBIDDEN not in _statuses(sample, url)


def _only_forbidden(statuses: object) -> bool:
    return statuses == {FORBIDDEN}


def _from_everywhere(sample: Sample, url: str) -> list[list[Response]]:
    """Calls from each cluster, side by side."""
    return call_from_each(sample, Plan(url, calls_to_meet(sample.smallest_share)))


def _statuses(sample: Sample, url: str) -> set[int | None]:
    """How calls from each cluster end now."""
    names = sample.clusters
    callers = [sample.caller(name) for name in names]
    plan = Plan(url=url, times=_PROBES, fresh=True)
    made = side_by_side(sample.mesh.shell, lambda one: answers(sample, one, plan), callers)
    return {response.status for responses in made for response in responses}


def _identified(sample: Sample, responses: Sequence[Response]) -> Verdict:
    identity = sample.caller_identity(responses[0].caller) if responses else "nobody"
    expected = f"the servers to know their caller as {identity}"
    others = {str(one.identity) for one in responses if one.identity != identity}
    if others or not responses:
        return Verdict(Outcome.FAIL, expected, f"as {', '.join(sorted(others)) or 'nobody'}")
    return Verdict(Outcome.PASS, expected, "all did")
