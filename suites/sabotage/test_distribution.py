"""Answers from where they should not come, false answers and missing evidence are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from meshproof.expect import Verdict, calls_to_meet, noticed
from meshproof.expect.reach import undecided
from meshproof.faults.discovery import unread
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.routes import aborting, virtual_service, without_access_logs
from meshproof.process import side_by_side
from meshproof.runner.behaviours import proves
from meshproof.traffic.endpoints import usual_pods
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import converge, healed, require, settle
from meshproof.workloads.sample import (
    HELLOWORLD,
    HOST,
    Sample,
    helloworld_objects,
)
from meshproof.workloads.scale import also_deployed
from suites.distribution.claims import every_version_answers, settles_in_time
from suites.sabotage.shown import calls_by, forgotten, require_at_rest, require_pods

Judge = Callable[[Verdict], None]
_SOON = 5.0
"""Seconds to wait for what does not come about."""


@proves("distribution/settles-in-time")
def test_a_mesh_that_does_not_settle_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an istiod that does not read another cluster, the claim that the mesh settles fails
    and names the version that is not reached."""
    caller, home = sample.read_from_elsewhere
    lost = set(sample.versions_in(home))

    def answering() -> set[str | None]:
        return {one.version for one in calls_by(sample, sample.caller(caller))}

    try:
        reader = sample.mesh.cluster(sample.topology[caller].primary)
        with unread(reader, sample.mesh.cluster(home)):
            what = f"calls from {caller} that {home} does not answer"
            require(answering, until=lambda seen: not seen & lost, what=what)
            verdict = settles_in_time(settle(sample, within=_SOON))
    finally:
        healed(sample)
    judge(noticed([verdict], f"{caller} does not reach {', '.join(sorted(lost))}"))


@proves("distribution/every-version-answers")
def test_a_version_in_the_wrong_cluster_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a version deployed where another is, the claim of distribution fails and names the
    cluster."""
    home, version = sample.homes[0], list(sample.versions)[-1]
    objects = helloworld_objects(version)
    with _beside(sample, home, objects):
        verdicts = _claims(sample, home)
    judge(noticed(verdicts, f"{version} from {home}"))


@proves("distribution/every-version-answers")
def test_a_pod_that_lies_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a pod that says it is another version, the claim of distribution fails and names the
    lie."""
    home, version = sample.homes[0], next(iter(sample.versions))
    with _beside(sample, home, _liar(sample, version)):
        verdicts = _claims(sample, home)
    judge(noticed(verdicts, f"which the API of {home} labels {version}"))


@proves(
    "distribution/every-version-answers",
    "routing/istio-mutual-works",
    "roots/disabled-needs-no-shared-root",
)
def test_errors_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a fault that answers 503, the claim of distribution fails and names the fault."""
    with ruled(sample, [virtual_service(HOST, [aborting(HOST, 503)])]):
        verdicts = _claims(sample)
    times = calls_to_meet(sample.smallest_share)
    judge(noticed(verdicts, f"{times} x 503 [FI]"))


@proves("distribution/every-version-answers")
def test_missing_access_logs_are_noticed(sample: Sample, judge: Judge) -> None:
    """With access logs off, the claim of distribution is inconclusive and asks for them."""
    logs = partial(_who_writes_logs, sample)
    before = logs()
    try:
        with configured(sample.mesh, [without_access_logs()]):
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
    """One more pod of helloworld, known to all proxies inside the block and forgotten after it."""
    # The account is the sample's own, and stays.
    deployment = [one for one in objects if one["kind"] == "Deployment"]
    try:
        with also_deployed(sample, cluster, deployment):
            usual = usual_pods(sample)
            require_pods(sample, usual | {cluster: usual[cluster] + 1})
            yield
    finally:
        forgotten(sample)
        healed(sample)


def _liar(sample: Sample, version: str) -> list[Object]:
    """A Deployment labelled as a version, like the real one, whose pod claims to be another."""
    other = list(sample.versions)[-1]
    objects = helloworld_objects(version)
    deployment = objects[-1]
    deployment["metadata"]["name"] = f"{HELLOWORLD}-liar"
    pod = deployment["spec"]["template"]
    for labels in (deployment["spec"]["selector"]["matchLabels"], pod["metadata"]["labels"]):
        labels["role"] = "liar"
    pod["spec"]["containers"][0]["env"] = [{"name": "SERVICE_VERSION", "value": other}]
    return objects


def _who_writes_logs(sample: Sample) -> set[str]:
    """The proxies that write access logs: sleep's, and helloworld's, which drain their
    connections when that changes."""
    proxies = [*map(sample.caller, sample.clusters), *sample.every_server()]
    found = side_by_side(sample.mesh.shell, lambda one: in_use(one, LISTENERS), proxies)
    told = zip(proxies, found, strict=True)
    return {str(one) for one, text in told if "/dev/stdout" in text}
