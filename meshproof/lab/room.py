"""The room that clusters take on a machine."""

from __future__ import annotations

GIB = 2**30
CLUSTER_MEMORY = 0.65 * GIB
"""Bytes of a cluster, of two that were measured at 1.3 GiB; a mesh in it takes less."""
