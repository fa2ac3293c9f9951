"""What is claimed of authorization, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    believable,
    calls_to_meet,
    refused_with,
)
from meshproof.expect.control import as_control
from meshproof.expect.denied import DENIED, FORBIDDEN, denied_by_servers
from meshproof.expect.handshake import answered_as
from meshproof.process import side_by_side
from meshproof.traffic.calls import HELLO, Plan, call_from_each
from meshproof.traffic.handshake import Handshake, certificate_for, shake_hands
from meshproof.traffic.response import Response
from meshproof.workloads.sample import NAMESPACE, OUTSIDE, SLEEP, Sample
from suites.authorization.policies import CLOSED_PATH, CLOSED_TO_ALL, DENY_SLEEP

_OTHERS = (OUTSIDE, f"{NAMESPACE}-beside", f"beside-{NAMESPACE}")
"""Namespaces that are not allowed, two of which have the allowed one's name in theirs."""


def sleep_is_answered(sample: Sample) -> Verdict:
    """From each cluster every version answers sleep."""
    return all_of(
        answered_from_home(responses, sample.reached_from(responses[0].caller))
        for responses in _calls(sample, HELLO)
    )


def the_namespace_alone_is_answered(sample: Sample) -> Verdict:
    """From each cluster every version answers sleep, which is of the allowed namespace, and denies
    accounts of that name in other namespaces, which show certificates of the same authority."""
    found = side_by_side(sample.mesh.shell, lambda one: list(_shown(sample, one)), sample.clusters)
    return all_of([sleep_is_answered(sample), *(one for verdicts in found for one in verdicts)])


def denied_though_allowed(sample: Sample) -> Verdict:
    """Every version denies sleep of each cluster, by the policy that denies it, though another one
    allows it.

    Rule: policies that deny are judged before those that allow.
    """
    return all_of(_denied(sample, HELLO, DENY_SLEEP))


def one_path_is_closed_mesh_wide(sample: Sample) -> Verdict:
    """Every version denies sleep of each cluster one path, by the policy in the root namespace, and
    answers it at the other."""
    closed = HELLO.removesuffix("/hello") + CLOSED_PATH
    return all_of([*_denied(sample, closed, CLOSED_TO_ALL), sleep_is_answered(sample)])


def _denied(sample: Sample, url: str, policy: str) -> Iterator[Verdict]:
    for responses in _calls(sample, url):
        yield refused_with(responses, status=FORBIDDEN, detail=DENIED)
        yield believable(responses)
        yield denied_by_servers(sample, responses, f"policy[{policy}]")


def _calls(sample: Sample, url: str) -> list[list[Response]]:
    times = calls_to_meet(sample.smallest_share)
    return call_from_each(sample, Plan(url, times))


def _shown(sample: Sample, caller: str) -> Iterator[Verdict]:
    """What comes of certificates that are shown to helloworld's pods from a cluster."""
    mesh = sample.topology[caller].mesh
    for behind in sample.behind(caller):
        for namespace in (NAMESPACE, *_OTHERS):
            identity = mesh.identity(namespace, SLEEP)
            shown = certificate_for(sample, caller, identity)
            tried = shake_hands(sample, caller, behind, shown)
            if namespace == NAMESPACE:
                yield as_control(answered_as(tried, identity))
            else:
                yield _denied_to(tried, identity)


def _denied_to(tried: Handshake, identity: str) -> Verdict:
    answer = tried.answer
    expected = f"{tried.behind} to deny {tried.outsider} as {identity}"
    held = answer.status == FORBIDDEN and DENIED in answer.body
    outcome = Outcome.PASS if held else Outcome.FAIL
    return Verdict(outcome, expected, f"as {identity}: {answer}", {"answer": answer.body})
