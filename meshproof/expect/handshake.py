"""Judges handshakes: refused by the server's own proxy for a reason, or answered as somebody."""

from __future__ import annotations

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.traffic.handshake import Handshake, Objection


def objected_to(tried: Handshake, why: Objection) -> Verdict:
    """PASS when nobody answered, and the log of who was asked says why.

    The alert need not arrive: when the question is under way already, the pod's system resets the
    connection, and the alert is lost. FAIL: an answer, another alert, or neither an alert nor a
    line in a log. INCONCLUSIVE: the alert came, but the log says nothing of it.
    """
    answer = tried.answer
    expected = f"{tried.behind} to refuse {tried.outsider} with '{why.alert}'"
    if answer.status is not None or answer.alert not in ("", why.alert):
        return Verdict(Outcome.FAIL, expected, f"{why.otherwise}: {answer}")
    lines = [one for one in tried.lines if why.logged in one.why]
    if not lines:
        outcome = Outcome.INCONCLUSIVE if answer.alert else Outcome.FAIL
        observed = f"{why.otherwise}: {answer}, and nothing of it in its own log"
        return Verdict(outcome, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{answer}, and in its own log: {lines[0]}")


def answered_as(tried: Handshake, identity: str) -> Verdict:
    """PASS when one of those that were asked answered, and knew its client as ``identity``."""
    answer, behind = tried.answer, tried.behind
    expected = f"{behind} to answer {tried.outsider} as {identity}"
    version = any(f"version: {one.version}," in answer.body for one in behind.servers)
    held = answer.status == 200 and version and f"URI={identity}" in answer.body
    outcome = Outcome.PASS if held else Outcome.FAIL
    return Verdict(outcome, expected, str(answer), {"answer": answer.body})
