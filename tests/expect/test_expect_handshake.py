"""Verdicts on handshakes: refused for a reason that a log tells, or answered as somebody."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from cryptography import x509

from meshproof.expect import Outcome
from meshproof.expect.handshake import answered_as, objected_to
from meshproof.mesh.credentials import issue
from meshproof.mesh.mesh import Way
from meshproof.mesh.trust import Authority
from meshproof.traffic.access_log import TurnedAway
from meshproof.traffic.handshake import Handshake, Objection
from meshproof.traffic.tls_question import NO_CERTIFICATE, TlsAnswer
from meshproof.workloads.sample import Behind
from tests.stand_ins import workload

SLEEP = "spiffe://cluster.local/ns/sample/sa/sleep"
SERVER = workload("helloworld-v1-a", "east", "v1")
BEHIND = Behind(Way(SERVER.address, 5000), (SERVER,))
WHY = Objection(NO_CERTIFICATE, "PEER_DID_NOT_RETURN_A_CERTIFICATE", "none was asked for")
CHAIN = tuple(x509.load_pem_x509_certificates(issue(Authority.root("root"), SLEEP).chain.encode()))
TOLD = TurnedAway("10.10.0.9:46326", "TLS_error:PEER_DID_NOT_RETURN_A_CERTIFICATE")
OTHER = TurnedAway("10.10.0.9:46326", "TLS_error:CERTIFICATE_VERIFY_FAILED")
REFUSED = TlsAnswer(CHAIN, None, "", NO_CERTIFICATE, f"alert {NO_CERTIFICATE}")
RESET = TlsAnswer(CHAIN, None, "", "", "errno=104")
BODY = f"Hello version: v1, instance: {SERVER.name}\nx-forwarded-client-cert: URI={SLEEP}\n"
ANSWERED = TlsAnswer(CHAIN, 200, BODY, "", "HTTP/1.1 200 OK")


def tried(answer: TlsAnswer, *lines: TurnedAway) -> Handshake:
    outsider = workload("sleep", "east", address=str(IPv4Address("10.10.0.9")))
    return Handshake(outsider, BEHIND, answer, lines)


@pytest.mark.parametrize(
    ("made", "outcome", "named"),
    [
        (tried(REFUSED, TOLD), Outcome.PASS, "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        (tried(RESET, OTHER, TOLD), Outcome.PASS, "in its own log: TurnedAway"),
        (tried(REFUSED), Outcome.INCONCLUSIVE, "nothing of it in its own log"),
        (tried(REFUSED, OTHER), Outcome.INCONCLUSIVE, "nothing of it in its own log"),
        (tried(RESET), Outcome.FAIL, "none was asked for"),
        (tried(ANSWERED, TOLD), Outcome.FAIL, "none was asked for: the certificate of spiffe://"),
        (
            tried(TlsAnswer(CHAIN, None, "", "unknown ca", "alert unknown ca"), TOLD),
            Outcome.FAIL,
            "alert unknown ca",
        ),
    ],
    ids=["told", "reset", "untold", "other reason", "nothing", "answered", "other alert"],
)
def test_a_refusal_is_one_for_its_own_reason(made: Handshake, outcome: Outcome, named: str) -> None:
    verdict = objected_to(made, WHY)
    assert verdict.outcome is outcome
    assert named in verdict.observed


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ANSWERED, Outcome.PASS),
        (REFUSED, Outcome.FAIL),
        (TlsAnswer(CHAIN, 503, BODY, "", "HTTP/1.1 503"), Outcome.FAIL),
        (TlsAnswer(CHAIN, 200, BODY.replace("v1,", "v2,"), "", "x"), Outcome.FAIL),
        (TlsAnswer(CHAIN, 200, BODY.replace("sa/sleep", "sa/other"), "", "x"), Outcome.FAIL),
    ],
    ids=["answered", "refused", "unavailable", "another version", "another client"],
)
def test_an_answer_is_one_by_whom_was_asked_to_whom_it_was(
    answer: TlsAnswer, outcome: Outcome
) -> None:
    assert answered_as(tried(answer), SLEEP).outcome is outcome
