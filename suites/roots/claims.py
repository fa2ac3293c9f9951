"""What is claimed of clusters whose roots are unrelated, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from cryptography.hazmat.primitives import hashes

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    refused_with,
    served_by_exactly,
    succeeded,
)
from meshproof.expect.control import as_control
from meshproof.lab.objects import applied
from meshproof.mesh.credentials import installed_authority
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import NAMESPACE, PORT, Sample, helloworld_service

_CALLS = 20
_DISTRUSTED = "CERTIFICATE_VERIFY_FAILED"


def nobody_vouches_for_the_other_cluster(sample: Sample, caller: str) -> Verdict:
    """Calls to the version in the caller's own cluster succeed; every call to the other
    cluster's is a 503, because the caller's proxy trusts nobody who signed the certificate that
    it is shown.

    Each version has a Service of its own: of a call to both, Envoy would try the other instance.
    """
    near, far = sample.local_version(caller), sample.remote_version(caller)
    with _a_service_for_each_version(sample, caller):
        at_home, abroad = (_call(sample, caller, version) for version in (near, far))
    return all_of(
        [
            roots_are_unrelated(sample),
            believable(at_home),
            succeeded(at_home),
            served_by_exactly(at_home, {near: caller}),
            refused_with(abroad, status=503, flags="UF", detail=_DISTRUSTED),
        ]
    )


def roots_are_unrelated(sample: Sample) -> Verdict:
    """The control: the control planes' authorities do lead up to different roots."""
    names = [one.name for one in sample.mesh.deployment.topology.control_planes]
    held = [installed_authority(sample.mesh.cluster(name)) for name in names]
    roots = {one.root.fingerprint(hashes.SHA256()) for one in held}
    outcome = Outcome.PASS if len(roots) == len(names) else Outcome.FAIL
    expected = f"a root of its own in each of {', '.join(names)}"
    return as_control(Verdict(outcome, expected, f"{len(roots)} roots"))


@contextmanager
def _a_service_for_each_version(sample: Sample, caller: str) -> Iterator[None]:
    """Services that select one version each are there, and the caller's proxy knows an instance
    of each."""
    services = [helloworld_service(name=_name(version), version=version) for version in sample.plan]
    spot = sample.caller(caller).spot
    with ExitStack() as stack:
        for name in sample.clusters:
            stack.enter_context(applied(sample.mesh.cluster(name), services))
        clusters = [outbound(host_of(_name(version), NAMESPACE), PORT) for version in sample.plan]
        converge(
            lambda: all(endpoints(spot, cluster) for cluster in clusters),
            what="an endpoint of each version",
        )
        yield


def _call(sample: Sample, caller: str, version: str) -> list[Response]:
    url = f"http://{_name(version)}.{NAMESPACE}:{PORT}/hello"
    return call(sample, sample.caller(caller), Plan(url, times=_CALLS))


def _name(version: str) -> str:
    return f"trusted-{version}"
