"""Trust: what istiod gets as ``cacerts`` is a chain that verifies, and signs workloads only."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meshproof.mesh.trust import Authority


def read(pem: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.encode())


def test_an_intermediate_is_signed_by_its_root_and_no_other() -> None:
    root, other = Authority.root("one"), Authority.root("two")
    certificate = root.intermediate("east").certificate
    certificate.verify_directly_issued_by(root.certificate)
    with pytest.raises((InvalidSignature, ValueError)):
        certificate.verify_directly_issued_by(other.certificate)


def test_cacerts_hold_the_chain_from_the_intermediate_to_the_root() -> None:
    root = Authority.root("root")
    data = root.intermediate("east").cacerts()
    chain = read(data["cert-chain.pem"])
    assert [one.subject.rfc4514_string() for one in chain] == [
        "CN=east,O=meshproof",
        "CN=root,O=meshproof",
    ]
    assert read(data["ca-cert.pem"]) == chain[:1]
    assert read(data["root-cert.pem"]) == chain[1:] == [root.certificate]


def test_the_key_belongs_to_the_certificate() -> None:
    data = Authority.root("root").intermediate("east").cacerts()
    key = load_pem_private_key(data["ca-key.pem"].encode(), None)
    assert key.public_key() == read(data["ca-cert.pem"])[0].public_key()


def test_an_intermediate_may_sign_workloads_but_no_further_authority() -> None:
    root = Authority.root("root")
    for authority, length in ((root, 1), (root.intermediate("east"), 0)):
        basic = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert basic.critical
        assert basic.value.ca
        assert basic.value.path_length == length


def test_certificates_are_valid_now() -> None:
    now = datetime.datetime.now(datetime.UTC)
    certificate = Authority.root("root").certificate
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
