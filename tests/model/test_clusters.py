"""What cannot exist raises when it is described."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from meshproof.errors import ModelError, UsageError
from meshproof.files import read_footprint
from meshproof.model import Cluster, Footprint, Version, flat, isolated, wiring_named

V = Version.parse("1.36.3")


def cluster(name: str, pods: str = "10.10.0.0/16", services: str = "10.110.0.0/16") -> Cluster:
    return Cluster(name, IPv4Network(pods), IPv4Network(services), "file")


def test_versions_are_ordered_as_semver_says() -> None:
    texts = ["1.31.0-rc.1", "1.31.0", "v1.31.1", "1.36.3"]
    versions = [Version.parse(text) for text in texts]
    assert versions == sorted(versions)
    with pytest.raises(ModelError, match="'latest' is no version"):
        Version.parse("latest")


@pytest.mark.parametrize("name", ["east", "cluster1", "prod-east", "1", "0-0", "e" * 37])
def test_clusters_are_called_as_kubernetes_allows(name: str) -> None:
    assert cluster(name).name == name


@pytest.mark.parametrize(
    "name", ["", "East", "east_1", "east.one", "-east", "east-", "outside", "e" * 38, "east\n", "é"]
)
def test_what_is_no_name_for_a_cluster(name: str) -> None:
    with pytest.raises(ModelError, match="is no name for a cluster"):
        cluster(name)


def test_pods_and_services_of_a_cluster_do_not_overlap() -> None:
    with pytest.raises(ModelError, match="share addresses"):
        cluster("east", services="10.10.4.0/24")


def test_names_are_unique() -> None:
    with pytest.raises(ModelError, match="two clusters are called east"):
        Footprint((cluster("east"), cluster("east")), V)


def test_overlapping_clusters_cannot_be_flat() -> None:
    footprint = Footprint((cluster("east"), cluster("west")), V)
    assert footprint.overlapping() == {("east", "west"), ("west", "east")}
    with pytest.raises(ModelError, match="cannot share a flat network"):
        flat(footprint)
    isolated().check(footprint)


def test_mixed_wiring_is_flat_between_some_only() -> None:
    wiring = flat(read_footprint("east,west,far", V), among=["east", "west"])
    assert wiring.is_flat("west", "east")
    assert not wiring.is_flat("east", "far")


def test_unknown_names_are_answered_with_those_known() -> None:
    with pytest.raises(UsageError, match=r"no kind configuration 'moon': .*east.*west"):
        read_footprint("east,moon", V)
    with pytest.raises(ModelError, match="choose isolated or flat"):
        wiring_named("round", read_footprint("east,west", V))
