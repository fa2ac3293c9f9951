"""A mesh of another version than the one asked for is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from meshproof.expect import Verdict, noticed
from meshproof.model import Version
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.versions.claims import runs_the_envoy_of_the_record, runs_what_was_asked

_OTHER = Version(1, 0, 0)


@proves("versions/as-asked")
def test_another_istio_is_noticed(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """Where another version was asked for than runs, the claim fails and names what runs."""
    running = next(iter(sample.mesh.deployment.istio.values()))
    with _asked_for(sample, _OTHER):
        verdict = runs_what_was_asked(sample)
    judge(noticed([verdict], f"says {running}"))


@proves("versions/envoy-as-recorded")
def test_another_envoy_is_noticed(sample: Sample, judge: Callable[[Verdict], None]) -> None:
    """Where another Envoy is recorded than runs, the claim fails and names what runs."""
    mesh = sample.mesh
    own = mesh.bundle
    mesh.bundle = replace(own, proxies=dict.fromkeys(own.proxies, "plain Envoy 0.0.1"))
    try:
        verdict = runs_the_envoy_of_the_record(sample)
    finally:
        mesh.bundle = own
    judge(noticed([verdict], "runs Envoy"))


@contextmanager
def _asked_for(sample: Sample, version: Version) -> Iterator[None]:
    own = sample.mesh.deployment
    sample.mesh.deployment = replace(own, istio=dict.fromkeys(own.istio, version))
    try:
        yield
    finally:
        sample.mesh.deployment = own
