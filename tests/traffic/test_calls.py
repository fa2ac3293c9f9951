"""Calls: what the caller is told becomes responses, and nothing is taken for granted."""

from __future__ import annotations

import pytest

from meshproof.kube.asking import Failed, Failure, Reply
from meshproof.traffic import calls
from meshproof.traffic.calls import Plan
from meshproof.traffic.response import Refused, Response
from tests.stand_ins import workload

V1 = workload("helloworld-v1-abc", "east", "v1", "10.10.0.5")
SERVERS = {V1.name: V1}
BODY = f"""Hello version: v1, instance: {V1.name}
host: helloworld.sample:5000
x-request-id: mp-1
x-forwarded-client-cert: By=spiffe://cluster.local/ns/sample/sa/helloworld;Hash=ab;Subject="";\
URI=spiffe://cluster.local/ns/sample/sa/sleep
"""


def response(body: str = BODY, status: int = 200, failure: Failure | None = None) -> Response:
    reply = Reply(failure, status=status, body=body)
    return calls._response("mp-1", reply, workload("sleep", "east"), SERVERS)


def test_each_call_has_its_own_id_and_headers() -> None:
    plan = Plan(headers={"end-user": "jason"}, patience=3)
    first, second = (calls._question(plan, one) for one in ("a", "b"))
    assert first.headers == {"end-user": "jason", "x-request-id": "a"}
    assert second.headers == {"end-user": "jason", "x-request-id": "b"}
    assert first.patience == 3


def test_an_answer_tells_version_pod_cluster_and_both_identities() -> None:
    seen = response()
    assert (seen.status, seen.version, seen.cluster) == (200, "v1", "east")
    assert seen.server == V1
    assert seen.identity == "spiffe://cluster.local/ns/sample/sa/sleep"
    assert seen.served_as == "spiffe://cluster.local/ns/sample/sa/helloworld"


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        (Failed.NAME, Refused.NAME),
        (Failed.REFUSED, Refused.CONNECTION),
        (Failed.NO_ROUTE, Refused.CONNECTION),
        (Failed.SILENCE, Refused.TIMEOUT),
        (Failed.UNANSWERED, Refused.TIMEOUT),
        (Failed.TLS, Refused.TLS),
        (Failed.BROKEN, Refused.RESET),
        (Failed.OTHER, Refused.OTHER),
    ],
)
def test_a_refusal_is_a_value_of_its_kind(kind: Failed, refusal: Refused) -> None:
    seen = response("", 0, Failure(kind, "so it ended"))
    assert (seen.status, seen.refusal, seen.said) == (None, refusal, "so it ended")
    assert not seen.succeeded


def test_an_answer_that_broke_off_is_no_success() -> None:
    assert not response(failure=Failure(Failed.BROKEN, "unexpected EOF")).succeeded


def test_a_pod_that_no_api_knows_has_no_server() -> None:
    seen = response("Hello version: v1, instance: helloworld-v1-gone\n")
    assert seen.pod == "helloworld-v1-gone"
    assert seen.server is None


def test_what_an_error_page_says_is_no_version() -> None:
    assert response(status=503).version is None
