"""Pools: the first that is free, or the one that was named; and never what something else uses."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from meshproof.errors import LabError, ModelError
from meshproof.files import read_footprint
from meshproof.lab.network.subnets import Leases, networks_in_use, room
from meshproof.model import Version
from meshproof.model.addresses import POOLS, is_private, pool_named, pool_of
from tests.lab.fakes import FakeShell

ROUTES = ("ip", "-j", "-4", "route", "show", "table", "all")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path))
    return tmp_path


def nets(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


def taken(pool: str | None, *avoid: str, count: int = 1) -> list[str]:
    chosen = IPv4Network(pool) if pool else None
    return [str(one.network) for one in Leases().take("one", count, nets(*avoid), chosen)]


def routes(*texts: str) -> FakeShell:
    return FakeShell(answers={ROUTES: json.dumps([{"dst": text} for text in texts])})


@pytest.mark.parametrize(
    ("avoid", "found"),
    [
        ((), "172.30.0.0/24"),
        (("172.30.0.0/24",), "172.30.1.0/24"),
        (("172.30.0.0/16",), "172.29.0.0/24"),
        (("172.16.0.0/12",), "10.213.0.0/24"),
        (("172.16.0.0/12", "10.0.0.0/8"), "192.168.192.0/24"),
    ],
)
def test_the_first_pool_with_room_is_found(avoid: tuple[str, ...], found: str) -> None:
    assert taken(None, *avoid) == [found]


def test_the_networks_of_a_lab_are_of_one_pool() -> None:
    almost = [str(net) for net in list(POOLS[0].subnets(new_prefix=24))[:-1]]
    assert taken(None, *almost) == ["172.30.255.0/24"]
    Leases().give_back("one")
    assert taken(None, *almost, count=2) == ["172.29.0.0/24", "172.29.1.0/24"]


def test_labs_of_several_pools_never_share_a_network() -> None:
    assert taken("10.5.0.0/16") == ["10.5.0.0/24"]
    assert taken("10.5.0.0/23") == ["10.5.1.0/24"]
    assert taken(None) == ["172.30.0.0/24"]
    with pytest.raises(LabError, match=r"10\.5\.0\.0/23 has not 1 free /24") as raised:
        taken("10.5.0.0/23")
    assert "--pool" in raised.value.remedy


def test_when_no_pool_is_left_one_can_be_named() -> None:
    everything = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    with pytest.raises(LabError, match=r"none of 172\.30\.0\.0/16, .* has 2 free /24s") as raised:
        taken(None, *everything, count=2)
    assert "--pool" in raised.value.remedy
    pool = pool_named("10.213.0.0/16")
    in_use = networks_in_use(routes(*everything, "10.213.0.0/24"), pool)
    assert taken(str(pool), *map(str, in_use)) == ["10.213.1.0/24"]


def test_default_routes_claim_nothing() -> None:
    shell = routes("default", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "192.168.7.0/24", "10.1.2.3")
    assert networks_in_use(shell) == nets("10.1.2.3/32", "192.168.7.0/24")


def test_a_named_pool_that_is_used_itself_is_not_taken() -> None:
    pool = IPv4Network("10.5.0.0/16")
    assert networks_in_use(routes("10.5.0.0/16", "10.0.0.0/8"), pool) == [pool]


def test_pools_that_are_tried_are_private_and_apart() -> None:
    assert all(is_private(pool) and pool.prefixlen <= 24 for pool in POOLS)
    assert not any(a.overlaps(b) for a in POOLS for b in POOLS if a is not b)
    footprint = read_footprint("east,west,far,north", Version.parse("1.36.3"))
    for pool in POOLS:
        footprint.check_clear_of(pool)


def test_what_the_clusters_use_is_no_pool() -> None:
    footprint = read_footprint("east", Version.parse("1.36.3"))
    assert footprint.ranges == tuple(nets("10.10.0.0/16", "10.110.0.0/16"))
    for pool in ("10.10.0.0/16", "10.110.5.0/24", "10.0.0.0/8"):
        with pytest.raises(ModelError, match=r"overlaps the (pods|services) .* of cluster east"):
            footprint.check_clear_of(IPv4Network(pool))


def test_the_room_that_is_left_in_each_pool() -> None:
    taken(None, count=2)
    left = room(nets("172.29.0.0/16", "10.213.0.0/17"))
    assert [left[pool] for pool in POOLS] == [254, 0, 128, 64, 256]


def test_the_pool_of_a_labs_networks_is_known_afterwards() -> None:
    assert pool_of(nets("172.29.0.0/24", "172.29.7.0/24")) == IPv4Network("172.29.0.0/16")
    assert pool_of(nets("172.29.0.0/24", "172.30.0.0/24")) is None
    assert pool_of(nets("10.9.0.0/24")) is None
    assert pool_of([]) is None
    named = IPv4Network("10.9.0.0/16")
    assert pool_of(nets("10.9.0.0/24"), named) == named
