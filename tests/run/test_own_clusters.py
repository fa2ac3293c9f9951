"""Clusters of one's own: what is agreed to, and what a run cannot be with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshproof.artifacts.images import WORKLOAD
from meshproof.errors import UsageError
from meshproof.model import RunRequest
from meshproof.model.own_cluster import OwnCluster
from meshproof.model.request import once_more
from meshproof.run.own_clusters import consent
from meshproof.run.selection import Selection
from meshproof.runner.applies import lacking, requires
from tests.lab.own.api import write_kubeconfig

SERVERS = {"kind-east": "https://10.0.0.1:6443", "kind-west": "https://10.0.0.2:6443"}


def own(name: str = "east", context: str = "kind-east") -> OwnCluster:
    return OwnCluster(name, Path("/home/me/.kube/config"), context, SERVERS["kind-east"], context)


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, Any]:
    """A request's words for two clusters."""
    file = write_kubeconfig(tmp_path / "config", SERVERS)
    words = tuple(f"{name}={file}:kind-{name}" for name in ("east", "west"))
    return {"cluster": words, "topology": ("multi-primary-flat",)}


def test_a_request_comes_to_clusters_that_nobody_has_agreed_to(asked: dict[str, Any]) -> None:
    found = Selection(RunRequest(**asked, workload_images="registry.example/me/w:1")).clusters
    assert found is not None and not found.consented
    assert [one.context for one in found.own] == ["kind-east", "kind-west"]
    assert found.images == {WORKLOAD: "registry.example/me/w:1"}
    agreed = Selection(RunRequest(**asked, yes="west, east")).clusters
    assert agreed is not None and agreed.consented
    assert Selection(RunRequest()).clusters is None


def test_what_takes_a_router_or_nodes_does_not_apply_there(asked: dict[str, Any]) -> None:
    from meshproof.model import Capability

    theirs, made = Selection(RunRequest(**asked)), Selection(RunRequest())
    for one in (Capability.ROUTER, Capability.NODES, Capability.ASSIGNED_ADDRESSES):
        marks = [requires(one).mark]
        assert lacking(marks, theirs.capabilities) == one.value
        assert lacking(marks, made.capabilities) is None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"keep": True}, "--keep is not for clusters of your own"),
        ({"reuse": "0a1b2c3d"}, "--reuse is not for clusters of your own"),
        ({"sabotage": True}, "--sabotage is not for clusters of your own"),
        ({"installer": "helm"}, "--installer helm is not for clusters of your own"),
        ({"topology": ()}, "which topology your clusters are to be is not said"),
        ({"topology": ("bare", "multi-primary-flat")}, "clusters without a mesh are judged by"),
        ({"topology": ("mixed-networks",)}, "no --cluster says which is"),
        ({"topology": ("zones",)}, "zones says where nodes are, and yours get no labels of ours"),
        ({"yes": "east"}, r"--yes names east, and west \(context kind-west, .* as well"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_asked(
    asked: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        _ = Selection(RunRequest(**{**asked, **more})).clusters


@pytest.mark.parametrize("option", ["yes", "workload_images"])
def test_what_is_about_them_needs_some(option: str) -> None:
    with pytest.raises(UsageError, match="is about clusters of your own, and none is named"):
        _ = Selection(RunRequest(**{option: "east"})).clusters  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("context", "smells"),
    [
        ("prod", True),
        ("eu-PROD1", True),
        ("gke_company_production", True),
        ("live.example", True),
        ("product-a", False),
        ("delivery", False),
        ("kind-east", False),
    ],
)
def test_names_of_production_are_known(context: str, smells: bool) -> None:
    assert own(context=context).smells_of_production is smells


def test_whoever_sits_there_is_asked_and_twice_of_production() -> None:
    heard: list[str] = []
    answers = iter(["yes\n", "eu-prod\n"])

    def ask(question: str) -> str:
        heard.append(question)
        return next(answers)

    clusters = [own(), own("west", "eu-prod")]
    assert consent(clusters, ask) == "east,west,eu-prod"
    assert "east  context kind-east  https://10.0.0.1:6443" in heard[0]
    assert "west (context eu-prod, server https://10.0.0.1:6443) may be of production" in heard[1]
    assert len(heard) == 2


@pytest.mark.parametrize("answers", [["y"], ["no"], [""], ["yes", "west"]])
def test_who_does_not_agree_changes_nothing(answers: list[str]) -> None:
    left = iter(answers)
    with pytest.raises(UsageError, match="nothing was changed"):
        consent([own("west", "eu-prod")], lambda _: next(left))


def test_where_nobody_sits_it_is_said_what_to_add() -> None:
    with pytest.raises(UsageError, match="nobody is here to be asked: add '--yes west,eu-prod'"):
        consent([own("west", "eu-prod")], None)


def test_yes_names_the_context_of_what_may_be_of_production(tmp_path: Path) -> None:
    file = write_kubeconfig(tmp_path / "config", {"a": SERVERS["kind-east"], "live": "https://h:1"})
    words = (f"east={file}:a", f"west={file}:live")
    request = RunRequest(cluster=words, topology=("multi-primary-flat",), yes="east,west")
    told = "west .* may be of production, .* '--yes east,west,live'"
    with pytest.raises(UsageError, match=told):
        _ = Selection(request).clusters
    agreed = RunRequest(cluster=words, topology=("multi-primary-flat",), yes="east,west,live")
    assert Selection(agreed).clusters is not None


def test_what_repeats_a_test_names_the_clusters_and_keeps_nothing(asked: dict[str, Any]) -> None:
    again = once_more(RunRequest(**asked), "suites/a.py::test_a[x]", "0a1b2c3d")
    assert again.cluster == asked["cluster"] and again.topology == asked["topology"]
    assert not again.keep and again.reuse is None
