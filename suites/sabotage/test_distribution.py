"""Answers from where they should not come, false answers and missing evidence are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from meshproof.expect import Verdict, noticed
from meshproof.expect.reach import undecided
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.routes import aborting, virtual_service, without_access_logs
from meshproof.process import side_by_side
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import converge, healed, require
from meshproof.workloads.sample import (
    HELLOWORLD,
    HOST,
    Sample,
    helloworld_objects,
)
from meshproof.workloads.scale import also_deployed
from suites.distribution.claims import every_version_answers
from suites.gateways.manifests import configured
from suites.sabotage.shown import require_at_rest, require_weight, ruled, weighs_again

Judge = Callable[[Verdict], None]


@proves("distribution/every-version-answers")
def test_a_version_in_the_wrong_cluster_is_noticed(sample: Sample, judge: Judge) -> None:
    """With v2 deployed where v1 is, the claim of distribution fails and names the cluster."""
    image, home = sample.mesh.bundle.images[f"{HELLOWORLD}-v2"], sample.plan["v1"]
    with _beside(sample, home, helloworld_objects(image, "v2")):
        verdicts = _claims(sample, home)
    judge(noticed(verdicts, f"v2 from {home}"))


@proves("distribution/every-version-answers")
def test_a_pod_that_lies_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a v1 pod that says it is v2, the claim of distribution fails and names the lie."""
    home = sample.plan["v1"]
    with _beside(sample, home, _liar(sample)):
        verdicts = _claims(sample, home)
    judge(noticed(verdicts, f"which the API of {home} labels v1"))


@proves(
    "distribution/every-version-answers",
    "routing/istio-mutual-works",
    "roots/disabled-needs-no-shared-root",
)
def test_errors_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a fault that answers 503, the claim of distribution fails and names the fault."""
    with ruled(sample, [virtual_service(HOST, [aborting(HOST, 503)])]):
        verdicts = _claims(sample)
    judge(noticed(verdicts, "40 x 503 [FI]"))


@proves("distribution/every-version-answers")
def test_missing_access_logs_are_noticed(sample: Sample, judge: Judge) -> None:
    """With access logs off, the claim of distribution is inconclusive and asks for them."""
    logs = partial(_who_writes_logs, sample)
    before = logs()
    try:
        with configured(sample, [without_access_logs()]):
            require(logs, until=lambda names: not names, what="access logs off")
            require_at_rest(sample)
            verdicts = _claims(sample)
    finally:
        if not converge(logs, until=lambda names: names == before, what="access logs on"):
            sample.mesh.mark_dirty("not all proxies write access logs again")
        healed(sample)
    judge(undecided(verdicts, "are access logs on"))


def _claims(sample: Sample, near: str | None = None) -> list[Verdict]:
    """The claim from each cluster, or from those that see the pods of ``near`` themselves: what
    comes through a gateway stays with one pod behind it as long as the connection lasts."""
    topology = sample.mesh.deployment.topology
    names = [one for one in topology.workloads if near is None or topology.same_network(one, near)]
    return side_by_side(sample.mesh.shell, lambda one: every_version_answers(sample, one), names)


@contextmanager
def _beside(sample: Sample, cluster: str, objects: Sequence[Object]) -> Iterator[None]:
    """A third pod of helloworld, known to all proxies inside the block and forgotten after it."""
    # The account is the sample's own, and stays.
    deployment = [one for one in objects if one["kind"] == "Deployment"]
    try:
        with also_deployed(sample, cluster, deployment):
            require_weight(sample, 3)
            yield
    finally:
        weighs_again(sample, 2)
        healed(sample)


def _liar(sample: Sample) -> list[Object]:
    """A Deployment labelled v1, like the real one, whose pod claims to be v2."""
    objects = helloworld_objects(sample.mesh.bundle.images[f"{HELLOWORLD}-v1"], "v1")
    deployment = objects[-1]
    deployment["metadata"]["name"] = f"{HELLOWORLD}-liar"
    pod = deployment["spec"]["template"]
    for labels in (deployment["spec"]["selector"]["matchLabels"], pod["metadata"]["labels"]):
        labels["role"] = "liar"
    pod["spec"]["containers"][0]["env"] = [{"name": "SERVICE_VERSION", "value": "v2"}]
    return objects


def _who_writes_logs(sample: Sample) -> set[str]:
    """The proxies that write access logs: sleep's, and helloworld's, which drain their
    connections when that changes."""
    proxies = [*map(sample.caller, sample.clusters), *sample.every_server()]
    found = side_by_side(sample.mesh.shell, lambda one: in_use(one, LISTENERS), proxies)
    told = zip(proxies, found, strict=True)
    return {str(one) for one, text in told if "/dev/stdout" in text}
