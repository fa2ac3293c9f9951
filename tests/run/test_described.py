"""What a record says of topologies, so that they can be drawn from it."""

from __future__ import annotations

import json

import pytest

from meshproof.artifacts import default_wanted
from meshproof.files import topology_named, topology_names
from meshproof.model import TRUST_DOMAINS, Deployment
from meshproof.run.described import described_topology
from meshproof.schema import _Topology


def deployment(name: str, *variants: str) -> Deployment:
    wanted, topology = default_wanted(), topology_named(name)
    istio = dict.fromkeys(topology.names, wanted.istio[0])
    return Deployment(topology, istio, wanted.kubernetes, variants=frozenset(variants))


@pytest.mark.parametrize("name", topology_names())
def test_every_topology_is_described_as_it_is_read_again(name: str) -> None:
    said = json.loads(json.dumps(described_topology(deployment(name))))
    read = _Topology.model_validate(said)
    topology = topology_named(name)
    assert [one.name for one in read.clusters] == list(topology.names)
    assert {version for one in read.clusters for version in one.versions} == set(topology.versions)
    for one in read.clusters:
        assert (one.gateway is not None) == (topology[one.name].gateway is not None)
        reader = one.role not in ("remote", "host")
        assert one.reads == (list(topology.reads(one.name)) if reader else [])
    for way in read.passes:
        assert ("pod" in way.flows) == topology.same_network(way.caller, way.called)


def test_a_variant_is_described_as_it_is_installed() -> None:
    said = described_topology(deployment("multi-primary-flat", TRUST_DOMAINS))
    assert [one["trust_domain"] for one in said["clusters"]] == ["east.example", "west.example"]
