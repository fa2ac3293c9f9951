"""Load balancing weights."""
