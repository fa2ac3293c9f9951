"""Figures: what labs, meshes and runs cost on this machine, measured and printed, never judged."""
