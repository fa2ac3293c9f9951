"""Machines outside Kubernetes as part of a mesh."""
