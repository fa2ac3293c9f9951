"""The container engine: podman or docker behind one small interface."""

from meshproof.engine.choose import choose_engine
from meshproof.engine.engine import Container, Engine, Network

__all__ = ["Container", "Engine", "Network", "choose_engine"]
