"""Calls that prefer what is near, and go elsewhere while that is away."""
