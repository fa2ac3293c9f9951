"""Meshes on a lab's clusters: trust, control planes, gateways, discovery; and their removal."""
