"""What openssl printed, and which chains are believed."""

from __future__ import annotations

import pytest
from cryptography import x509

from meshproof.errors import EvidenceError
from meshproof.mesh.credentials import issue, spiffe
from meshproof.mesh.trust import Authority
from meshproof.traffic.tls_question import distrusted, read_answer, signed, uris

ROOT = Authority.root("root")
EAST = ROOT.intermediate("east")
NAME = spiffe("sample", "sleep")


def _chain(authority: Authority) -> tuple[x509.Certificate, ...]:
    return read_answer("CONNECTED(00000003)\n" + issue(authority, NAME).chain).chain


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


def test_an_alert_is_read() -> None:
    said = (
        "CONNECTED(00000003)\n409:error:0A00045C:SSL routines:ssl3_read_bytes:"
        "tlsv13 alert certificate required:../ssl/record/rec_layer_s3.c:1601:SSL alert number 116"
    )
    answer = read_answer(said)
    assert (answer.alert, answer.status) == ("certificate required", None)


def test_an_answer_is_read_wherever_openssl_puts_it() -> None:
    answer = read_answer("CONNECTED(00000003)\n 0600 - a0HTTP/1.1 200 OK\r\n\r\nHello\nclosed\n")
    assert answer.status == 200
    assert "Hello" in answer.body


def test_a_refused_connection_is_an_answer_and_a_broken_probe_is_none() -> None:
    assert read_answer("40B7:error:8000006F:...:connect:errno=111\n").chain == ()
    with pytest.raises(EvidenceError):
        read_answer("s_client: Option unknown\n")
