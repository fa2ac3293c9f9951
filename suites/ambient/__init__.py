"""Ambient's settings of istiods, on a mesh of sidecars: they must change nothing there."""
