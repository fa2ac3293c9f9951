"""Real kind clusters, each on a network of its own, and the router that is all their contact."""

from meshproof.lab.lab import Ingredients, Lab

__all__ = ["Ingredients", "Lab"]
