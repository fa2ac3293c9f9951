"""Judges what name servers said. Only NXDOMAIN means that a name does not exist."""

from __future__ import annotations

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.kube.names import NameAnswer

_NO_SUCH_NAME = "NXDOMAIN"


def exists(name: str, where: str, answer: NameAnswer) -> Verdict:
    """PASS when the name has an address; FAIL says what came instead.

    INCONCLUSIVE: nobody answered, or not in DNS.
    """
    expected = f"{name} to resolve in {where}"
    if answer.exists:
        return Verdict(Outcome.PASS, expected, str(answer))
    told = answer.code in ("NOERROR", _NO_SUCH_NAME)
    return Verdict(Outcome.FAIL if told else Outcome.INCONCLUSIVE, expected, str(answer))


def unknown(name: str, where: str, answer: NameAnswer, control: NameAnswer) -> Verdict:
    """PASS when the name is NXDOMAIN and the control, asked of the same server, resolves.

    An address is a FAIL that names it. INCONCLUSIVE: the control does not resolve, or the
    server refused, failed or was silent. Rule: ``topologies.md``, Names.
    """
    expected = f"{name} to be {_NO_SUCH_NAME} in {where}"
    evidence = {"control": str(control)}
    if answer.code == "NOERROR":
        observed = f"{answer}: {name} exists in {where}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if answer.code != _NO_SUCH_NAME:
        return Verdict(Outcome.INCONCLUSIVE, expected, str(answer), evidence)
    if not control.exists:
        observed = f"{answer}, but the control is {control}: the server proves nothing"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, str(answer), evidence)


def known(name: str, who: str, answer: NameAnswer, without: NameAnswer) -> Verdict:
    """PASS when ``who`` is told an address that those ``without`` its means are not: NXDOMAIN.

    INCONCLUSIVE: the name resolves anyway, or nobody answered.
    """
    expected = f"{name} to resolve for {who}, and not without its DNS proxy"
    evidence = {"without": str(without)}
    found = exists(name, who, answer)
    if found.outcome is not Outcome.PASS:
        return Verdict(found.outcome, expected, f"{found.observed} for {who}", evidence)
    if without.code != _NO_SUCH_NAME:
        observed = f"{answer}, but {without} without: the proxy was not needed"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, str(answer), evidence)
