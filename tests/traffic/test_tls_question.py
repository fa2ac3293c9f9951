"""What a reply by TLS means, and which chains are believed."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.errors import EvidenceError
from meshproof.kube import asking
from meshproof.kube.asking import Failed, Failure, Reply
from meshproof.kube.workload import spiffe
from meshproof.mesh.credentials import issue
from meshproof.mesh.trust import Authority
from meshproof.traffic.tls_question import (
    NO_CERTIFICATE,
    UNKNOWN_AUTHORITY,
    ask,
    distrusted,
    read_answer,
    signed,
    uris,
)
from tests.stand_ins import workload

ROOT = Authority.root("root")
EAST = ROOT.intermediate("east")
NAME = spiffe("sample", "sleep")


def _chain(authority: Authority) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(issue(authority, NAME).chain.encode()))


def _shown(*certificates: x509.Certificate) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in certificates)


def test_what_an_authority_issues_is_trusted_by_its_root_alone() -> None:
    chain = _chain(EAST)
    assert uris(chain[0]) == [NAME]
    assert distrusted(chain, ROOT.certificate) == ""
    assert distrusted(chain, Authority.root("root").certificate)


def test_a_namesake_of_an_authority_has_not_signed() -> None:
    leaf = _chain(Authority.root("root").intermediate("east"))[0]
    assert leaf.issuer == EAST.certificate.subject
    assert not signed(leaf, EAST.certificate)
    assert signed(_chain(EAST)[0], EAST.certificate)
    assert distrusted((leaf, EAST.certificate), ROOT.certificate)


def test_no_certificate_is_not_trusted() -> None:
    assert distrusted((), ROOT.certificate)


def test_the_chain_is_read_in_order() -> None:
    """The server's own certificate is first."""
    own, issuer = _chain(EAST)
    answer = read_answer(Reply(chain=_shown(own, issuer)))
    assert answer.chain == (own, issuer)
    assert answer.identity == NAME


def test_an_alert_after_the_handshake_is_what_was_said() -> None:
    """With TLS 1.3 a missing certificate is said only when the client holds it for done."""
    failure = Failure(Failed.TLS, "remote error: tls: certificate required", 116)
    answer = read_answer(Reply(failure, chain=_shown(*_chain(EAST))))
    assert (answer.alert, answer.status) == (NO_CERTIFICATE, None)
    assert str(answer) == f"the certificate of {NAME}, then 'alert certificate required'"


@pytest.mark.parametrize(
    ("number", "alert"), [(48, UNKNOWN_AUTHORITY), (40, "handshake failure"), (99, "number 99")]
)
def test_alerts_have_their_names(number: int, alert: str) -> None:
    assert read_answer(Reply(Failure(Failed.TLS, "", number))).alert == alert


def test_an_answer_is_what_was_said() -> None:
    """A server that lets its client in answers the question."""
    said = b"HTTP/1.1 200 OK\r\n\r\nHello\r\n"
    answer = read_answer(Reply(payload=said, chain=_shown(*_chain(EAST))))
    assert (answer.said, answer.alert, answer.status) == ("HTTP/1.1 200 OK", "", 200)
    assert "Hello" in answer.body


@pytest.mark.parametrize("kind", [Failed.REFUSED, Failed.NO_ROUTE, Failed.BROKEN, Failed.TLS])
def test_no_certificate_is_an_empty_chain(kind: Failed) -> None:
    """A server that closes at once, or speaks no TLS, has shown nothing."""
    answer = read_answer(Reply(Failure(kind, "this is no TLS")))
    assert (answer.chain, answer.identity, answer.alert, answer.status) == ((), "", "", None)
    assert answer.said


def test_a_certificate_without_a_uri_has_no_identity() -> None:
    """Not every certificate is a workload's."""
    assert uris(ROOT.certificate) == []
    assert read_answer(Reply(chain=_shown(ROOT.certificate))).identity == ""


def test_what_nobody_answered_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    silence = Reply(Failure(Failed.SILENCE, "i/o timeout"))
    monkeypatch.setattr(asking, "ask", lambda *_: silence)
    with pytest.raises(EvidenceError, match="nothing came back"):
        ask(workload("sleep", "east"), IPv4Address("10.20.0.5"), 15443, "sni")
