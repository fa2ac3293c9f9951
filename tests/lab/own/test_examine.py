"""Clusters of one's own are asked before anything is changed in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import LabError, UsageError
from meshproof.kube.foreign import LAB_LABEL
from meshproof.lab.own.facts import spanning
from meshproof.lab.own.lab import examine
from meshproof.lab.own.rights import NEEDS
from meshproof.model import Version
from meshproof.model.own_cluster import OwnCluster
from meshproof.process import Shell
from tests.lab.own.api import (
    TOKEN,
    Answer,
    Recorded,
    allowed,
    listed,
    namespace,
    node,
    plain,
    served,
    write_kubeconfig,
)

REVIEW = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
NAMESPACES = "GET /api/v1/namespaces"
ROLES = "GET /apis/rbac.authorization.k8s.io/v1/clusterroles"
KINDS = "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def cluster(
    stack: ExitStack, folder: Path, name: str = "east", answers: dict[str, Answer] | None = None
) -> tuple[OwnCluster, Recorded]:
    """A cluster of one's own, and what it is asked."""
    recorded = stack.enter_context(served(Recorded(answers or plain())))
    path = write_kubeconfig(folder / f"{name}.yaml", {"theirs": recorded.url})
    return OwnCluster(name, path, "theirs", recorded.url), recorded


def test_what_is_needed_of_a_cluster_is_asked_and_nothing_changed(
    stack: ExitStack, tmp_path: Path
) -> None:
    own, recorded = cluster(stack, tmp_path)
    found = examine([own], Shell())["east"]
    assert found.uid == "one"
    assert found.version == Version(1, 33, 4)
    assert found.nodes == 2
    assert found.pods == IPv4Network("10.244.0.0/24")
    assert found.services == IPv4Network("10.96.0.0/16")
    assert found.api == "https://172.18.0.2:6443"  # the kubeconfig's leads every pod to itself
    assert recorded.changes() == []
    assert TOKEN not in repr(found) + repr(own)


def test_two_contexts_that_lead_to_one_cluster_are_told_by_its_uid(
    stack: ExitStack, tmp_path: Path
) -> None:
    east, _ = cluster(stack, tmp_path)
    west, _ = cluster(stack, tmp_path, "west")
    with pytest.raises(UsageError, match=r"east and west are one cluster: .* has the uid one"):
        examine([east, west], Shell())
    other, _ = cluster(stack, tmp_path, "west", plain("two"))
    assert set(examine([east, other], Shell())) == {"east", "west"}


def test_what_may_not_be_done_is_named(stack: ExitStack, tmp_path: Path) -> None:
    def without_secrets(body: Any) -> dict[str, Any]:
        asked = body["spec"]["resourceAttributes"]
        may = not (asked["resource"] == "secrets" and asked["verb"] == "create")
        return {"spec": body["spec"], "status": {"allowed": may}}

    own, recorded = cluster(stack, tmp_path, answers={**plain(), REVIEW: without_secrets})
    with pytest.raises(LabError) as raised:
        examine([own], Shell())
    assert "in cluster east the user of this context may not: create secrets (" in str(raised.value)
    assert str(raised.value).count("(") == 1
    asked = [one for key, one in recorded.asked if key == REVIEW]
    assert len(asked) == sum(1 for need in NEEDS for _ in need.each())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {NAMESPACES: listed(namespace("istio-system"))},
            r"Istio is in cluster east already \(namespace istio-system\)",
        ),
        (
            {
                KINDS: listed(
                    {
                        "metadata": {"name": "gateways.networking.istio.io"},
                        "spec": {
                            "group": "networking.istio.io",
                            "names": {"kind": "Gateway", "plural": "gateways"},
                            "scope": "Namespaced",
                            "versions": [{"name": "v1", "served": True, "storage": True}],
                        },
                    }
                )
            },
            r"Istio is in cluster east already \(kind gateways.networking.istio.io\)",
        ),
        (
            {ROLES: listed({"metadata": {"name": "istiod-clusterrole-istio-system"}})},
            r"Istio is in cluster east already \(role istiod-clusterrole-istio-system\)",
        ),
        (
            {NAMESPACES: listed(namespace("sample"))},
            "cluster east has a namespace 'sample', and meshproof makes one of that name",
        ),
        (
            {NAMESPACES: listed(namespace("meshproof-own", labels={LAB_LABEL: "0a1b2c3d"}))},
            "cluster east is used by lab 0a1b2c3d .* run 'meshproof down 0a1b2c3d'",
        ),
        (
            {"GET /api/v1/nodes": (403, {"message": "nodes is forbidden"})},
            "could not ask cluster east .*: 403 Forbidden: nodes is forbidden",
        ),
        (
            {"GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices": listed()},
            "the API server of east is known as http://127.0.0.1:.* leads every pod to itself",
        ),
    ],
)
def test_what_stands_in_the_way_is_one_sentence(
    stack: ExitStack, tmp_path: Path, changed: dict[str, Answer], told: str
) -> None:
    own, recorded = cluster(stack, tmp_path, answers={**plain(), **changed})
    with pytest.raises(LabError, match=told) as raised:
        examine([own], Shell())
    assert recorded.changes() == []
    assert TOKEN not in str(raised.value)


def test_who_does_not_answer_is_named_with_its_server(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "gone.yaml", {"theirs": "http://127.0.0.1:9"})
    own = OwnCluster("east", path, "theirs", "http://127.0.0.1:9")
    with pytest.raises(
        LabError, match=r"could not ask cluster east \(context theirs, server .*:9\)"
    ):
        examine([own], Shell())


def test_ranges_are_those_of_addresses_where_no_node_says_any(
    stack: ExitStack, tmp_path: Path
) -> None:
    pods = [
        {"metadata": {"name": name}, "spec": {"containers": []}, "status": {"podIP": address}}
        for name, address in (("x", "10.1.2.3"), ("y", "10.1.7.9"))
    ]
    services = {
        "metadata": {"name": "kubernetes"},
        "spec": {"clusterIP": "10.43.0.1"},
    }
    answers = {
        **plain(),
        "GET /api/v1/nodes": listed(node("a", None)),
        "GET /api/v1/pods": listed(*pods),
        "GET /apis/networking.k8s.io/v1/servicecidrs": (404, {}),
        "GET /api/v1/services": listed(services),
    }
    own, _ = cluster(stack, tmp_path, answers=answers)
    found = examine([own], Shell())["east"]
    assert found.pods == IPv4Network("10.1.0.0/21")
    assert found.services == IPv4Network("10.43.0.1/32")


def test_a_range_that_spans_others_is_the_smallest() -> None:
    ranges = [IPv4Network("10.244.0.0/24"), IPv4Network("10.244.1.0/24")]
    assert spanning(ranges) == IPv4Network("10.244.0.0/23")
    assert spanning(ranges[:1]) == ranges[0]
    assert allowed({"spec": {}})["status"]["allowed"] is True
