"""What is looked at: without what changes by itself, and compared."""

from __future__ import annotations

import base64
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from meshproof.mutants.views import certificates, difference, renamed, settled_form

ROUTES = {"route_config": {"name": "5000", "virtual_hosts": [{"name": "helloworld"}]}}


def test_times_versions_and_what_is_on_its_way_are_left_out() -> None:
    one = {"version_info": "1", "last_updated": "now", "draining_state": {}, **ROUTES}
    assert settled_form([one]) == [ROUTES]


def test_a_rejection_stays_with_its_words_alone() -> None:
    state = {"details": "duplicate", "last_update_attempt": "now", "failed_configuration": {}}
    assert settled_form({"error_state": state}) == {"error_state": {"details": "duplicate"}}


def test_two_views_differ_by_lines_and_equal_ones_by_none() -> None:
    assert difference({"east": ROUTES}, {"east": dict(ROUTES)}) == []
    changed = {"east": {"route_config": {"name": "9000"}}}
    assert '+   "name": "9000"' in difference({"east": ROUTES}, changed)


def test_pods_that_were_replaced_are_no_difference() -> None:
    called = {"east": "istiod of east", "v1": "a pod of v1 in east"}

    def seen(istiod: str, server: str, weight: int) -> dict[str, object]:
        endpoints = [{"address": istiod}, {"address": server, "weight": weight}]
        view = {"east": {"lb_endpoints": endpoints}}
        return renamed(view, [(istiod, called["east"]), (server, called["v1"])])

    assert difference(seen("10.10.0.4", "10.10.0.5", 1), seen("10.10.0.9", "10.10.0.2", 1)) == []
    assert difference(seen("10.10.0.4", "10.10.0.5", 1), seen("10.10.0.9", "10.10.0.5", 2)) != []


def test_a_long_difference_is_cut() -> None:
    lines = difference({"east": list(range(2000))}, {"east": []})
    assert len(lines) == 401
    assert lines[-1].endswith("lines more")


def test_certificates_are_told_by_name_signer_right_and_time() -> None:
    text = base64.b64encode(_pem("spiffe://cluster.local/ns/sample/sa/sleep")).decode()
    chain = {"certificate_chain": {"inline_bytes": text}}
    secret = {"name": "default", "secret": {"tls_certificate": chain}}
    root = {"name": "ROOTCA", "secret": {"validation_context": {}}}
    assert certificates([secret, root]) == [
        [
            {
                "names": ["spiffe://cluster.local/ns/sample/sa/sleep"],
                "signed by": "CN=root",
                "may sign": False,
                "minutes": 90,
            }
        ]
    ]


def _pem(uri: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(minutes=90))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=True
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
