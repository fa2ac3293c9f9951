"""What openssl prints is read as what came of the handshake."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.traffic.certificates import identity, read_handshake

_WORKLOAD = "spiffe://cluster.local/ns/sample/sa/helloworld"
_DONE = "---\nNew, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384\n---\n"


def _certificate(uri: str | None) -> x509.Certificate:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    if uri is not None:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        builder = builder.add_extension(names, critical=True)
    return builder.sign(key, hashes.SHA256())


def _shown(*certificates: x509.Certificate) -> str:
    pems = [one.public_bytes(Encoding.PEM).decode() for one in certificates]
    listed = "".join(f" {number} s:\n   i:\n{pem}" for number, pem in enumerate(pems))
    return f"CONNECTED(00000003)\n---\nCertificate chain\n{listed}---\nServer certificate\n"


def test_the_chain_is_read_in_order_and_once() -> None:
    """The server's own certificate is first, and not listed again."""
    own, issuer = _certificate(_WORKLOAD), _certificate(None)
    handshake = read_handshake(_shown(own, issuer) + _DONE, "depth=0\nverify return:1\n")
    assert handshake.chain == (own, issuer)
    assert handshake.identity == _WORKLOAD
    assert handshake.completed


def test_an_alert_after_the_handshake_is_no_completion() -> None:
    """With TLS 1.3 a missing certificate is said only when the client holds it for done."""
    complaint = (
        "40:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:"
        "../ssl/record/rec_layer_s3.c:1601:SSL alert number 116\n"
    )
    handshake = read_handshake(_shown(_certificate(_WORKLOAD)) + _DONE, complaint)
    assert handshake.said == "alert certificate required"
    assert not handshake.completed


def test_an_answer_is_what_was_said() -> None:
    """A server that lets its client in answers the question."""
    printed = _shown(_certificate(_WORKLOAD)) + _DONE + "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"
    handshake = read_handshake(printed, "")
    assert handshake.said == "HTTP/1.1 200 OK"
    assert handshake.completed


@pytest.mark.parametrize("complaint", ["write:errno=104\n", "40:error:wrong version number:x\n"])
def test_no_certificate_is_an_empty_chain(complaint: str) -> None:
    """A server that closes at once has shown nothing."""
    printed = "CONNECTED(00000003)\n---\nno peer certificate available\n---\n"
    printed += "New, (NONE), Cipher is (NONE)\n"
    handshake = read_handshake(printed, complaint)
    assert handshake.chain == ()
    assert handshake.identity == ""
    assert handshake.said in complaint
    assert not handshake.completed


def test_a_certificate_without_a_uri_has_no_identity() -> None:
    """Not every certificate is a workload's."""
    assert identity(_certificate(None)) == ""
