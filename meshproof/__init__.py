"""meshproof: a conformance test bench for multicluster Istio, on real kind clusters."""

__version__ = "0.1.0"
