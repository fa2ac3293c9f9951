"""Calls: what curl and the access log say becomes responses, and nothing is taken for granted."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

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


def response(body: str = BODY, **account: object) -> Response:
    told = {"id": "mp-1", "status": 200, "exit": 0, "seconds": 0.01, "said": "", "source": ""}
    told |= account
    return calls._response("mp-1", (told, body), workload("sleep", "east"), SERVERS)


def printed(entries: Mapping[str, str]) -> str:
    shown = ""
    for one, body in entries.items():
        figures = json.dumps({"id": one, "status": 200, "exit": 0, "seconds": 0.1})
        shown += f'{body}{calls._MARK}{figures}{calls._SAID}all "well"{calls._MARK}\n'
    return shown


def test_each_call_has_a_block_with_its_own_id_and_headers() -> None:
    text = calls._config(Plan(headers={"end-user": "jason"}, patience=3), ["a", "b"])
    first, second = text.split("\nnext\n")
    assert 'header = "x-request-id: a"' in first
    assert 'header = "x-request-id: b"' in second
    for block in (first, second):
        assert 'header = "end-user: jason"' in block
        assert "max-time = 3" in block


def test_results_are_told_apart_by_id_and_keep_their_bodies() -> None:
    found = calls._results(printed({"a": "first\nbody\n", "b": "second\n"}))
    assert {one: body for one, (_, body) in found.items()} == {
        "a": "first\nbody\n",
        "b": "second\n",
    }
    assert found["a"][0]["said"] == 'all "well"'


def test_an_answer_tells_version_pod_cluster_and_both_identities() -> None:
    seen = response()
    assert (seen.status, seen.version, seen.cluster) == (200, "v1", "east")
    assert seen.server == V1
    assert seen.identity == "spiffe://cluster.local/ns/sample/sa/sleep"
    assert seen.served_as == "spiffe://cluster.local/ns/sample/sa/helloworld"


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        (6, Refused.NAME),
        (7, Refused.CONNECTION),
        (28, Refused.TIMEOUT),
        (35, Refused.TLS),
        (52, Refused.RESET),
        (56, Refused.RESET),
        (99, Refused.OTHER),
    ],
)
def test_a_refusal_is_a_value_of_its_kind(code: int, refusal: Refused) -> None:
    seen = response("", status=0, exit=code, said="so it ended")
    assert (seen.status, seen.refusal, seen.said) == (None, refusal, "so it ended")
    assert not seen.succeeded


def test_an_answer_that_broke_off_is_no_success() -> None:
    assert not response(status=200, exit=18).succeeded


def test_a_pod_that_no_api_knows_has_no_server() -> None:
    seen = response("Hello version: v1, instance: helloworld-v1-gone\n")
    assert seen.pod == "helloworld-v1-gone"
    assert seen.server is None


def test_what_an_error_page_says_is_no_version() -> None:
    assert response(status=503).version is None


def test_another_method_is_asked_for() -> None:
    assert 'request = "PUT"' in calls._config(Plan(method="PUT"), ["a"])
    assert "request = " not in calls._config(Plan(), ["a"])
