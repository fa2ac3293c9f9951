"""A server of helloworld that runs under another service account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object, applied
from meshproof.traffic.settle import converge, healed, require
from meshproof.workloads.sample import HELLOWORLD, Sample, helloworld_objects
from suites.sabotage.shown import calls_by, faults, forgotten


@contextmanager
def another_account(sample: Sample, name: str) -> Iterator[None]:
    """A further pod of helloworld, whose service account is another; waits until it is gone."""
    cluster, caller = sample.mesh.cluster(name), sample.caller(name)
    known = set(sample.servers())

    def answers() -> bool:
        responses = calls_by(sample, caller)
        return not faults(responses) and any(one.pod not in known for one in responses)

    try:
        with applied(cluster, _other_account(sample, name)):
            require(answers, what="answers of a server of another service account")
            yield
    finally:
        if not converge(lambda: set(sample.servers()) <= known):
            sample.mesh.mark_dirty("a server of another service account is still there")
        forgotten(sample)
        healed(sample)


def _other_account(sample: Sample, cluster: str) -> list[Object]:
    version = sample.versions_in(cluster)[0]
    account, deployment = helloworld_objects(version)
    account["metadata"]["name"] = "impostor"
    deployment["metadata"]["name"] = f"{HELLOWORLD}-impostor"
    labels = {"impostor": "yes"}
    spec = deployment["spec"]
    spec["selector"]["matchLabels"] |= labels
    spec["template"]["metadata"]["labels"] |= labels
    spec["template"]["spec"]["serviceAccountName"] = "impostor"
    return [account, deployment]
