"""Headless Services and StatefulSets: single pods by name, from other clusters."""
