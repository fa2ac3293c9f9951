"""What is claimed of names for which a wildcard stands, and of a host of two entries."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from meshproof.kube.asking import Question, Reply
from meshproof.kube.names import NameAnswer
from suites.names.shared_claims import every_address_has_every_port
from suites.names.wildcard_claims import wildcards_are_no_names
from suites.names.wildcards import ADDRESS, PLAIN, SEARCHED
from tests.claims.changes import after
from tests.claims.table import Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.claims.test_names import SILENCE, named, told_everywhere, with_dns_sleep
from tests.doubles.asked import RESET
from tests.doubles.played import PlayedPod

RIGHT = NameAnswer("NOERROR", (ADDRESS,))
STAR = NameAnswer("NOERROR", (ADDRESS,), ("*.wildcards.test",))
LEGAL = NameAnswer("NOERROR", (ADDRESS,), (PLAIN,))
FIRST, SECOND = IPv4Address("240.240.0.3"), IPv4Address("240.240.0.4")


def told(plain: NameAnswer = RIGHT, searched: NameAnswer = LEGAL) -> Doing:
    """The DNS proxy says this of a name under the wildcard, and of it in the pod's own domain."""
    answers = {PLAIN: plain, SEARCHED: searched}
    return named(lambda _, name, right: answers.get(name, right))


def greeting(*ways: tuple[IPv4Address, int]) -> Doing:
    """Somebody answers at these addresses and ports alone."""

    def done(stage: Stage) -> None:
        at = {f"{address}:{port}" for address, port in ways}

        def heard(_: PlayedPod, asked: Question) -> Reply:
            return Reply(payload=b"hello v1 helloworld-v1-6b5") if asked.address in at else RESET

        stage.world.replies = heard

    return done


TWO = told_everywhere(NameAnswer("NOERROR", (FIRST, SECOND)))
ONE = told_everywhere(NameAnswer("NOERROR", (FIRST,)))
EACH = greeting((FIRST, 9000), (SECOND, 9001))
ALL = greeting(*((at, port) for at in (FIRST, SECOND) for port in (9000, 9001)))
CASES = [
    *cases(
        wildcards_are_no_names,
        on("east", before=after(with_dns_sleep, told())),
        passes(),
        passes(doing=told(searched=NameAnswer("NXDOMAIN"))),
        fails(f"{SEARCHED} is said to stand for *.wildcards.test, which is no", told(RIGHT, STAR)),
        fails(f"{PLAIN} is said to stand for *.wildcards.test", told(STAR)),
        fails(f"in east {PLAIN} is NXDOMAIN", told(NameAnswer("NXDOMAIN"))),
        fails("is NOERROR 240.1.1.2", told(NameAnswer("NOERROR", (ADDRESS + 1,)), STAR)),
        unclear(f"{PLAIN} is SILENCE", told(SILENCE)),
        unclear(f"{SEARCHED} is SILENCE", told(searched=SILENCE)),
    ),
    *cases(
        every_address_has_every_port,
        on("east", before=after(with_dns_sleep, TWO, ALL)),
        passes("all of 2 addresses answer"),
        passes("all of 1 addresses answer", ONE),
        fails("nobody answers at 240.240.0.3:9001, 240.240.0.4:9000", EACH),
        fails("nobody answers at port 9001, whatever the address", greeting((FIRST, 9000))),
        unclear("nobody answers at any port", greeting()),
        unclear("shared.entries.test is NXDOMAIN", told_everywhere(NameAnswer("NXDOMAIN"))),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_wildcards(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
