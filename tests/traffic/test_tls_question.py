"""What openssl printed and complained of, and which chains are believed."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.errors import EvidenceError
from meshproof.kube.workload import spiffe
from meshproof.mesh.credentials import issue
from meshproof.mesh.trust import Authority
from meshproof.traffic.tls_question import distrusted, read_answer, signed, uris

ROOT = Authority.root("root")
EAST = ROOT.intermediate("east")
NAME = spiffe("sample", "sleep")
_DONE = "---\nNew, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384\n---\n"


def _chain(authority: Authority) -> tuple[x509.Certificate, ...]:
    return read_answer("CONNECTED(00000003)\n" + issue(authority, NAME).chain, "").chain


def _shown(*certificates: x509.Certificate) -> str:
    pems = [one.public_bytes(Encoding.PEM).decode() for one in certificates]
    listed = "".join(f" {number} s:\n   i:\n{pem}" for number, pem in enumerate(pems))
    return f"CONNECTED(00000003)\n---\nCertificate chain\n{listed}---\nServer certificate\n"


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


def test_the_chain_is_read_in_order_and_once() -> None:
    """The server's own certificate is first, and not listed again."""
    own, issuer = _chain(EAST)
    printed = _shown(own, issuer) + own.public_bytes(Encoding.PEM).decode() + _DONE
    answer = read_answer(printed, "depth=0\nverify return:1\n")
    assert answer.chain == (own, issuer)
    assert answer.identity == NAME


def test_an_alert_after_the_handshake_is_what_was_said() -> None:
    """With TLS 1.3 a missing certificate is said only when the client holds it for done."""
    complaint = (
        "40:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:"
        "../ssl/record/rec_layer_s3.c:1601:SSL alert number 116\n"
    )
    answer = read_answer(_shown(*_chain(EAST)) + _DONE, complaint)
    assert (answer.alert, answer.status) == ("certificate required", None)
    assert str(answer) == f"the certificate of {NAME}, then 'alert certificate required'"


def test_an_answer_is_what_was_said() -> None:
    """A server that lets its client in answers the question."""
    answer = read_answer(_shown(*_chain(EAST)) + _DONE + "HTTP/1.1 200 OK\r\n\r\nHello\r\n", "")
    assert (answer.said, answer.alert) == ("HTTP/1.1 200 OK", "")


def test_an_answer_is_read_wherever_openssl_puts_it() -> None:
    printed = "CONNECTED(00000003)\n 0600 - a0HTTP/1.1 200 OK\r\n\r\nHello\nclosed\n"
    answer = read_answer(printed, "")
    assert answer.status == 200
    assert "Hello" in answer.body


@pytest.mark.parametrize("complaint", ["write:errno=104\n", "40:error:wrong version number:x\n"])
def test_no_certificate_is_an_empty_chain(complaint: str) -> None:
    """A server that closes at once has shown nothing."""
    printed = "CONNECTED(00000003)\n---\nno peer certificate available\n---\n"
    answer = read_answer(printed + "New, (NONE), Cipher is (NONE)\n", complaint)
    assert (answer.chain, answer.identity, answer.alert) == ((), "", "")
    assert answer.said in complaint


def test_a_certificate_without_a_uri_has_no_identity() -> None:
    """Not every certificate is a workload's."""
    assert uris(ROOT.certificate) == []
    assert read_answer(_shown(ROOT.certificate), "").identity == ""


def test_a_refused_connection_is_an_answer_and_a_broken_probe_is_none() -> None:
    assert read_answer("", "40B7:error:8000006F:...\nconnect:errno=111\n").chain == ()
    with pytest.raises(EvidenceError):
        read_answer("", "s_client: Option unknown\n")
