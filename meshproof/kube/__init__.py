"""Talking to one Kubernetes cluster: its nodes and pods, objects, rollouts, and names."""

from meshproof.kube.cluster import Node, RunningCluster

__all__ = ["Node", "RunningCluster"]
