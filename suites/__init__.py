"""Conformance suites, one folder a behaviour."""
