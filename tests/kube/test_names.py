"""What a name server says, read to the letter."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import dns.message
import dns.rrset
import pytest

from meshproof.kube import names
from meshproof.kube.asking import Failed, Failure, Question, Reply
from meshproof.kube.names import NameAnswer, ask_name

SERVER = IPv4Address("10.110.0.10")


def _record(text: str) -> dns.rrset.RRset:
    name, ttl, rdclass, rdtype, value = text.split()
    return dns.rrset.from_text(name, int(ttl), rdclass, rdtype, value)


def answered(monkeypatch: pytest.MonkeyPatch, *records: str) -> NameAnswer:
    """What is read of an answer of these records."""

    def ask(_: Any, asked: Question) -> Reply:
        answer = dns.message.make_response(dns.message.from_wire(asked.payload))
        answer.answer = [_record(one) for one in records]
        return Reply(payload=answer.to_wire())

    monkeypatch.setattr(names, "ask", ask)
    return ask_name(None, "a.test", SERVER)  # type: ignore[arg-type]


def test_addresses_and_the_names_on_the_way_to_them_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert answered(monkeypatch, "a.test. 30 IN CNAME *.test.", "*.test. 30 IN A 240.1.1.1") == (
        NameAnswer("NOERROR", (IPv4Address("240.1.1.1"),), ("*.test",))
    )
    assert answered(monkeypatch, "a.test. 30 IN A 240.1.1.1").aliases == ()


@pytest.mark.parametrize(
    ("kind", "code"), [(Failed.SILENCE, "SILENCE"), (Failed.REFUSED, "UNREACHABLE")]
)
def test_who_does_not_answer_has_said_nothing(
    kind: Failed, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "ask", lambda *_: Reply(Failure(kind, "no")))
    assert ask_name(None, "a.test", SERVER) == NameAnswer(code)  # type: ignore[arg-type]
