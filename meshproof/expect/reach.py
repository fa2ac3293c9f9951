"""Judges whether something was reached, or kept out, across the router."""

from __future__ import annotations

import re
from collections.abc import Sequence

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.model import Flow
from meshproof.traffic.attempt import Attempt, Outward
from meshproof.traffic.conversation import FIRST, SECOND, Conversation
from meshproof.traffic.detour import Detour
from meshproof.traffic.probe import Answer, Refusal, Target

_SOMEBODY = (None, Refusal.RESET, Refusal.UNANSWERED)
"""What comes of a question only where somebody was there: an answer, or a connection that was
refused, or taken."""
_ANY_POD = (Flow.POD.value, Flow.ANYTHING.value)
"""The flows under which the router lets calls to a pod through."""


def kept_out(attempt: Attempt) -> Verdict:
    """PASS when no answer came *and* the router dropped packets *and* the control answered.

    An answer is a FAIL that names the way that is open, and so is a connection that somebody
    beyond the router refused, or took. Silence without a counted drop, or with a silent control,
    is INCONCLUSIVE: something else is broken.
    """
    expected = f"{attempt.caller} to be kept out of {attempt.target} by the router"
    evidence = _evidence(attempt)
    if attempt.answer.refusal in _SOMEBODY:
        observed = f"{attempt.answer}: a way is open from {' to '.join(attempt.pair)}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if attempt.control.refusal is not None:
        observed = (
            f"{attempt.answer}, but inside {attempt.called} as well: the probe proves nothing"
        )
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    if attempt.dropped <= 0:
        observed = f"{attempt.answer}, but the router dropped nothing: the packets never got there"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    observed = f"{attempt.answer}, with {attempt.dropped} packets dropped by the router"
    return Verdict(Outcome.PASS, expected, observed, evidence)


def kept_inside(asked: Outward) -> Verdict:
    """PASS when nobody outside the lab answered, *and* the router dropped packets for that very
    address. Anybody who answers, or refuses, is a FAIL: there is a way out. Only worth something
    beside a control: whoever asked must be able to call beyond its cluster."""
    expected = f"{asked.caller} to be kept from {asked.target} by the router"
    if asked.answer.refusal in _SOMEBODY:
        observed = f"{asked.answer}: a way is open from {asked.caller.cluster} to the outside"
        return Verdict(Outcome.FAIL, expected, observed)
    if asked.dropped <= 0:
        observed = f"{asked.answer}, but the router dropped nothing: the packets never got there"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    observed = f"{asked.answer}, with {asked.dropped} packets dropped by the router"
    return Verdict(Outcome.PASS, expected, observed)


def reached(attempt: Attempt, kind: str, answer: str | None = None) -> Verdict:
    """PASS when the answer came and the router let packets of ``kind`` through for it.

    ``answer``: what the answer must be, to the letter, where that matters.
    """
    wanted = f"the answer '{answer}'" if answer is not None else "an answer"
    expected = f"{wanted} from {attempt.target} to {attempt.caller}, as flow '{kind}'"
    evidence = _evidence(attempt)
    passed = attempt.counted.between(attempt.pair, kind)
    if attempt.answer.refusal is not None:
        if attempt.control.refusal is not None:
            observed = f"{attempt.answer}, but inside {attempt.called} as well"
            return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
        return Verdict(Outcome.FAIL, expected, str(attempt.answer), evidence)
    if answer is not None and attempt.answer.text != answer:
        return Verdict(Outcome.FAIL, expected, str(attempt.answer), evidence)
    if passed == 0:
        observed = (
            f"{attempt.answer}, but the router saw no packets of '{kind}': it came another way"
        )
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, f"{attempt.answer}, {passed} packets", evidence)


def silent(target: Target, answer: Answer) -> Verdict:
    """PASS when nobody answered, not even to refuse. Only worth something beside a control."""
    expected = f"silence from {target}"
    bad = answer.refusal in _SOMEBODY
    return Verdict(Outcome.FAIL if bad else Outcome.PASS, expected, str(answer))


def goes_on(seen: Conversation) -> Verdict:
    """PASS when a connection that was left alone went on: a control, INCONCLUSIVE if not."""
    expected = "an open connection to go on while nothing is changed"
    held = seen.heard == (FIRST, SECOND) and seen.ended == 0
    return Verdict(Outcome.PASS if held else Outcome.INCONCLUSIVE, expected, str(seen))


def was_reset(seen: Conversation) -> Verdict:
    """PASS when a connection was answered until the network was cut, and was then reset by the
    router. INCONCLUSIVE: it was never answered."""
    expected = "an open connection to be reset by the router when the network is cut"
    if not seen.heard:
        return Verdict(Outcome.INCONCLUSIVE, expected, str(seen))
    held = seen.heard == (FIRST,) and seen.ended > 0
    return Verdict(Outcome.PASS if held else Outcome.FAIL, expected, str(seen))


def host_refused(tried: Detour) -> Verdict:
    """PASS when no answer came by the host *and* the host counted packets that it refused."""
    expected = f"the host to refuse what {tried.caller} sends through it to {tried.target}"
    if tried.answer.refusal in _SOMEBODY:
        return Verdict(Outcome.FAIL, expected, f"{tried.answer}: the host is a way")
    if tried.refused <= 0:
        observed = f"{tried.answer}, but the host refused nothing: the host is a way"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{tried.answer}, {tried.refused} packets refused")


def noticed(verdicts: Sequence[Verdict], culprit: str) -> Verdict:
    """PASS when every one of the verdicts on a sabotaged lab is a FAIL that names ``culprit``, as
    whole words and numbers: "0 segments" is not in "10 segments". Of a verdict that stands for
    several claims one that failed has to. It goes with them, so that one that a known issue
    explains is not taken for noticed.

    FAIL when one of them is a PASS, or names something else. Where some only could not tell,
    nothing is shown either way: INCONCLUSIVE.
    """
    return _all_are(Outcome.FAIL, verdicts, culprit)


def undecided(verdicts: Sequence[Verdict], culprit: str) -> Verdict:
    """PASS when every one of the verdicts is INCONCLUSIVE and names ``culprit``, as ``noticed``.

    For sabotage of the evidence, not of the mesh.
    """
    return _all_are(Outcome.INCONCLUSIVE, verdicts, culprit)


def _all_are(outcome: Outcome, verdicts: Sequence[Verdict], culprit: str) -> Verdict:
    expected = f"{len(verdicts)} verdicts to be {outcome.value}, each naming '{culprit}'"
    if not verdicts:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no verdicts")
    missed = [one for one in verdicts if not _is(outcome, one, culprit)]
    wrong = [one for one in missed if one.outcome in (outcome, Outcome.PASS, Outcome.FAIL)]
    if missed:
        example = (wrong or missed)[0]
        found = Outcome.FAIL if wrong else Outcome.INCONCLUSIVE
        told = f"{len(missed)} that were not, such as: {example}"
        return Verdict(found, expected, told, noticed=tuple(missed))
    evidence = {"for example": verdicts[0].observed}
    return Verdict(Outcome.PASS, expected, "all of them", evidence, noticed=tuple(verdicts))


def _is(outcome: Outcome, verdict: Verdict, culprit: str) -> bool:
    """Whether a verdict is so, and says that of the culprit, by itself or by one that it stands
    for."""
    alike = [one for one in (verdict, *verdict.also) if one.outcome is outcome]
    return verdict.outcome is outcome and any(names(one.observed, culprit) for one in alike)


def names(text: str, culprit: str) -> bool:
    """Whether the culprit is in a text, and not as a part of a longer word, number, name or
    address: neither "0 segments" in "10 segments" nor "to west" in "to west-2"."""
    begin = r"(?<!\w)" if re.match(r"\w", culprit) else ""
    begin += r"(?<!\d\.)" if re.match(r"\d", culprit) else ""
    end = r"(?!-?\w)" if re.search(r"\w\Z", culprit) else ""
    end += r"(?!\.\d)" if re.search(r"\d\Z", culprit) else ""
    return re.search(f"{begin}{re.escape(culprit)}{end}", text) is not None


def answered_by(attempt: Attempt, answer: str) -> Verdict:
    """PASS when the answer is ``answer`` to the letter and no packet for it met the router."""
    expected = f"the answer '{answer}' from {attempt.target}, without the router"
    evidence = _evidence(attempt)
    if attempt.answer.text != answer:
        return Verdict(Outcome.FAIL, expected, str(attempt.answer), evidence)
    if crossing := _crossing(attempt):
        observed = f"{attempt.answer}, but packets went to the router: {crossing}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, str(attempt.answer), evidence)


def stays_at_home(attempt: Attempt) -> Verdict:
    """PASS when no packet for an address that both clusters have met the router, whoever answered
    at home. INCONCLUSIVE: nobody has the address in the other cluster. Only worth something beside
    a control: the router must be seen to count."""
    expected = f"{attempt.caller} to send nothing for {attempt.target} to the router"
    evidence = _evidence(attempt)
    if crossing := _crossing(attempt):
        observed = f"{attempt.answer}, and packets went to the router: {crossing}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if attempt.control.refusal is not None:
        observed = f"nothing went there, but nobody answers inside {attempt.called} either"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, f"{attempt.answer}, and nothing went there", evidence)


def _crossing(attempt: Attempt) -> dict[str, int]:
    """What the router has seen that may be for the target, of pods' traffic and of what it
    dropped."""
    crossing = {
        f"{place} {kind}": count
        for (place, kind), count in attempt.counted.packets.items()
        if place.startswith(f"{attempt.caller.cluster}_to_") and kind in _ANY_POD and count
    }
    return crossing | ({"dropped": attempt.strayed} if attempt.strayed else {})


def _evidence(attempt: Attempt) -> dict[str, str]:
    return {
        f"inside {attempt.called}": str(attempt.control),
        "counted": str(attempt.counted),
    }
