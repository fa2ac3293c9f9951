"""What is called by the global name of a service that another mesh exposes, and by which way."""

from __future__ import annotations

from meshproof.mesh.exposure import ways_of
from meshproof.model import Exposure
from meshproof.workloads.sample import PORT, Sample


def url_of(imported: Exposure) -> str:
    """Where an exposed service says hello, by its global name."""
    return f"http://{imported.host}:{PORT}/hello"


def exposed_versions(sample: Sample, imported: Exposure) -> dict[str, str]:
    """The versions that answer by an exposed service's global name, with their clusters."""
    providers = sample.topology.providers(imported)
    return {version: home for version, home in sample.versions.items() if home in providers}


def hosts_of(sample: Sample, imported: Exposure) -> set[str]:
    """The gateways by which it is entered, as Envoy writes them."""
    return set(map(str, ways_of(sample.mesh, imported)))
