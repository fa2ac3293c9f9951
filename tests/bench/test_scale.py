"""Figures under load: read from what istiods and proxies say, and missed where they say nothing."""

from __future__ import annotations

import pytest

from meshproof.bench.figure import Figure
from meshproof.bench.lab import growth
from meshproof.bench.scale import _lists, _memory, _pushes, numbers
from meshproof.errors import EvidenceError

SAID = """\
# HELP pilot_proxy_convergence_time Delay in seconds
# TYPE pilot_proxy_convergence_time histogram
pilot_proxy_convergence_time_bucket{le="0.1"} 3
pilot_proxy_convergence_time_sum 0.5
pilot_proxy_convergence_time_count 4
pilot_xds_pushes{type="cds"} 2
pilot_xds_pushes{type="eds"} 5
process_resident_memory_bytes 1.048576e+08
"""
LATER = SAID.replace("_sum 0.5", "_sum 2.5").replace("_count 4", "_count 14")
ENVOY = """\
# TYPE envoy_server_memory_allocated gauge
envoy_server_memory_allocated{} 20971520
"""
CLUSTERS = """\
outbound|80||load-2.load.svc.cluster.local::observability_name::outbound|80||load-2.load
outbound|80||load-2.load.svc.cluster.local::10.9.0.2:15443::cx_active::0
outbound|80||load-3.load.svc.cluster.local::observability_name::outbound|80||load-3.load
"""


def test_numbers_are_summed_over_labels() -> None:
    found = numbers(SAID)
    assert found["pilot_xds_pushes"] == 7
    assert found["process_resident_memory_bytes"] == 100 * 2**20
    assert numbers(ENVOY) == {"envoy_server_memory_allocated": 20 * 2**20}


def test_memory_is_told_of_each_and_missed() -> None:
    said = {"istiod of east": numbers(SAID), "proxy in west": numbers(ENVOY)}
    assert [one.values for one in _memory("x", said)] == [(100.0,), (20.0,)]
    with pytest.raises(EvidenceError, match="proxy in west does not tell"):
        _memory("x", {"proxy in west": {}})


def test_pushes_are_those_since_before() -> None:
    before, now = {"istiod of east": numbers(SAID)}, {"istiod of east": numbers(LATER)}
    count, mean = _pushes("x", before, now)
    assert (count.values, mean.values, mean.unit) == ((10.0,), (200.0,), "ms")
    with pytest.raises(EvidenceError, match="tells of no push"):
        _pushes("x", before, before)


def test_a_service_is_known_where_there_is_an_endpoint_of_it() -> None:
    assert _lists(CLUSTERS, "|load-2.load.svc.cluster.local")
    assert not _lists(CLUSTERS, "|load-3.load.svc.cluster.local")
    assert not _lists(CLUSTERS, "|load-4.load.svc.cluster.local")


def test_growth_is_what_a_cluster_costs_in_the_largest_lab() -> None:
    figures = [
        Figure("1 cluster: lab up, wired", "s", (20.0,)),
        Figure("2 clusters: lab up, wired", "s", (30.0, 20.0, 25.0)),
        Figure("5 clusters: lab up, wired", "s", (75.0,)),
        Figure("2 clusters: memory per cluster", "MiB", (500.0,)),
        Figure("5 clusters: memory per cluster", "MiB", (450.0,)),
    ]
    assert [one.values for one in growth(figures)] == [(120.0,), (90.0,)]
    assert growth(figures[:2]) == []
