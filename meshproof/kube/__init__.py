"""Talking to one Kubernetes cluster: its nodes and pods, objects, rollouts, and names."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshproof.kube.cluster import Node, RunningCluster

__all__ = ["Node", "RunningCluster"]


def __getattr__(name: str) -> Any:
    """``Node`` and ``RunningCluster``, when they are asked for: Kubernetes' client takes long to be
    loaded."""
    if name in __all__:
        from meshproof.kube import cluster

        return getattr(cluster, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
