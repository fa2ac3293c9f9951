"""What a lab can, beyond running clusters: tests say what they require of it."""

from __future__ import annotations

from enum import Enum


class Capability(Enum):
    """One thing that a kind of lab can do or not. The value: why a test does not apply without."""

    ROUTER = "needs a lab whose router counts what passes between clusters, and decides it"
    """The router is the only path between the clusters' networks: it counts, by kind of flow and
    by conversation, lets through what a wiring says, and is stopped or wired anew."""
    NODES = "needs a lab on whose nodes programs can be run"
    """Programs are run on the nodes themselves: they ask in the node's own network, and change its
    routes and rules. What runs in pods, by way of the API server, needs no such lab."""
    ASSIGNED_ADDRESSES = "needs a lab that gives Services their addresses, and knows them before"
    """The addresses of LoadBalancer Services are given, moved and taken back by the lab, and known
    before there is a Service."""
    ISTIO_FILTERS = "needs proxies with Istio's own filters"
    """Proxies count, and tell each other who they are, as Istio's own filters do; plain Envoy has
    none of them. Each proxy is asked once its image is there: no list of tests knows it before."""
    CLUSTERS = "needs clusters whose own parts may be changed, such as their DNS"
    """The clusters were made for the lab: what Kubernetes has in them is changed, and put back."""
    BAKED_IMAGES = "needs a lab whose nodes hold meshproof's images"
    """The images of what runs in the clusters are on the nodes from the beginning. No test requires
    it by itself: who deploys the workloads heeds it."""
