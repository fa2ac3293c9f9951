"""Ports: a Service is what its cluster says, also where others of its name say otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.ports.own import own_port_is_served, own_ports, served

Judge = Callable[[Verdict], None]


# https://github.com/istio/istio/issues/46105: the ports are those of the first cluster's alone.
@behaviour("ports/own-service-own-port", feature="discovery")
@pytest.mark.each_shape
@pytest.mark.networks(1)
def test_a_service_has_the_port_that_its_cluster_says(sample: Sample, judge: Judge) -> None:
    """With a Service that has another port in each cluster, callers are answered at their own
    cluster's.

    On one network: across networks a gateway is asked for a port that it does not know.
    """
    ports = own_ports(sample)
    with served(sample, ports):
        verdict = all_of(own_port_is_served(sample, *one) for one in ports.items())
    judge(verdict)
