"""The lab's networks: subnets, the router between them, its rules and what they counted."""

from meshproof.lab.network.counters import Counters

__all__ = ["Counters"]
