"""Calls that go on from proxy to proxy: in by an ingress gateway, out by an egress gateway."""
