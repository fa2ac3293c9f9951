"""Distributed traces: who reports a part in a call."""
