"""Ambient's settings of istiods, on a mesh of sidecars: they change nothing there."""
