"""Judges whether calls went through the caller's proxy or passed it by."""

from __future__ import annotations

from meshproof.expect.calls import believable, succeeded
from meshproof.expect.verdict import Outcome, Verdict, all_of
from meshproof.traffic.bypass import Tried
from meshproof.traffic.response import Response


def redirected(tried: Tried) -> Verdict:
    """PASS when each call succeeded and has a line in the log of the caller's proxy.

    A line that is missing is a FAIL if the control's, made later, is there: the call passed the
    proxy by; INCONCLUSIVE if not. Rule: ``topologies.md``, includeIPRanges.
    """
    who = tried.caller.name
    expected = f"{len(tried.responses)} calls of {who} to go through its proxy"
    control = _control(tried, expected)
    if not tried.responses or control.outcome is not Outcome.PASS:
        return control
    past = [one for one in tried.responses if one.log is None]
    if past:
        observed = (
            f"{len(past)} bypassed the proxy, such as {past[0].id}: {past[0]}, without a log line"
        )
        return Verdict(Outcome.FAIL, expected, observed, control.evidence)
    return all_of([succeeded(tried.responses), believable(tried.responses)])


def bypassed(tried: Tried) -> Verdict:
    """PASS when each call succeeded, none has a line in the log of the caller's proxy, and the
    lines of the control, made later by the same pod, are there.

    A line is a FAIL that quotes where it led. INCONCLUSIVE: no calls, or the control has no
    lines. Rule: ``topologies.md``, includeIPRanges.
    """
    who = tried.caller.name
    expected = f"{len(tried.responses)} calls of {who} to bypass its proxy"
    through = [one for one in tried.responses if one.log is not None]
    if through:
        observed = f"{len(through)} went through the proxy, such as {_line(through[0])}"
        return Verdict(Outcome.FAIL, expected, observed)
    control = _control(tried, expected)
    if not tried.responses or control.outcome is not Outcome.PASS:
        return control
    answered = succeeded(tried.responses)
    if answered.outcome is not Outcome.PASS:
        return answered
    return Verdict(Outcome.PASS, expected, "answered, and no log line", control.evidence)


def _control(tried: Tried, expected: str) -> Verdict:
    """PASS when the control's calls succeeded and are logged; else INCONCLUSIVE."""
    if not tried.responses or not tried.control:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no calls")
    judged = all_of([succeeded(tried.control), believable(tried.control)])
    if judged.outcome is not Outcome.PASS:
        observed = f"the control did not go through the proxy: {judged.observed}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, judged.evidence)
    return Verdict(Outcome.PASS, expected, "the control", {"control": _line(tried.control[-1])})


def _line(response: Response) -> str:
    log = response.log
    return f"{response.id}: a log line to {log.upstream_host if log else 'nowhere'}"
