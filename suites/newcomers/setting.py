"""A namespace that is made after installation, a sleep in it, and a Job that calls and ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from meshproof.artifacts.images import WORKLOAD
from meshproof.kube import client
from meshproof.kube.asking import QUESTIONS, Question, replies_in, written
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied, await_absence
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload, find_workload
from meshproof.process import side_by_side
from meshproof.traffic.access_log import entries_of
from meshproof.traffic.calls import Plan, questions, responses_of
from meshproof.traffic.response import Response
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import SLEEP, Sample, namespace_object, sleep_objects

LATE, JOB = "latecomers", "errand"
ROOT = "istio-ca-root-cert"
"""The ConfigMap by which istiod tells every namespace its root: without it no sidecar starts."""
# The image is there; what takes its time is the sidecar, which starts before and ends after.
_JOB_WITHIN = 180.0


@dataclass(frozen=True)
class Errand:
    """A Job that called. ``ended``: whether it was complete within three minutes; ``responses``:
    what came of its calls."""

    workload: PodWorkload
    ended: bool
    responses: tuple[Response, ...]


@contextmanager
def latecomers(sample: Sample) -> Iterator[Collection[str]]:
    """In each cluster with workloads there is a new namespace inside the block, whose pods get a
    sidecar, with a sleep; afterwards it is gone. Yields the clusters in which it has got the mesh's
    root within a minute: in others its sleep is not waited for. Raises LabError or
    WaitTimeoutError."""
    mesh = sample.mesh
    clusters = [mesh.cluster(name) for name in sample.clusters]
    namespace = namespace_object(LATE, injected=True, revision=mesh.deployment.revision)
    objects = [namespace, *sleep_objects(LATE)]
    with ExitStack() as stack:
        for cluster in clusters:
            stack.enter_context(applied(cluster, objects))
        shell = mesh.shell
        all_rooted = partial(_rooted, clusters)
        converge(all_rooted, until=lambda found: len(found) == len(clusters), what=ROOT, within=60)
        rooted = _rooted(clusters)
        ready = [one for one in clusters if one.name in rooted]
        side_by_side(shell, lambda one: await_rollout(one, LATE, {SLEEP}, shell), ready)
        yield rooted
    side_by_side(mesh.shell, lambda one: await_absence(one, LATE), clusters)


def latecomer(sample: Sample, cluster: str) -> PodWorkload:
    """The sleep of the new namespace in a cluster. Raises LabError when none runs."""
    return find_workload(sample.mesh.cluster(cluster), SLEEP, LATE)


def errand(sample: Sample, cluster: str, plan: Plan) -> Errand:
    """Have a Job in a cluster's new namespace make the calls, and wait until it has ended.

    Raises LabError when it has no pod, EvidenceError when its pod did not make the calls.
    """
    running = sample.mesh.cluster(cluster)
    asked = questions(plan)
    servers = sample.servers()
    with applied(running, [_job(asked)]):
        ended = converge(lambda: _complete(running), what="a Job", within=_JOB_WITHIN)
        pod = find_workload(running, JOB, LATE)
        replies = replies_in(pod.log(JOB), pod, len(asked))
        responses = responses_of(pod, asked, replies, servers | sample.servers())
        lines = entries_of(pod, [one.id for one in responses]) if pod.sidecar else {}
    return Errand(pod, ended, tuple(replace(one, log=lines.get(one.id)) for one in responses))


def _rooted(clusters: Sequence[RunningCluster]) -> set[str]:
    """The clusters whose new namespace has the mesh's root."""
    found = set()
    for cluster in clusters:
        with lab_errors(f"look for {ROOT} in {LATE} of {cluster.name}"):
            maps = cluster.core.list_namespaced_config_map(LATE).items
        found |= {cluster.name for one in maps if one.metadata.name == ROOT}
    return found


def _complete(cluster: RunningCluster) -> bool:
    with lab_errors(f"look at job {JOB} of {cluster.name}"):
        api = client.BatchV1Api(cluster.api)
        found = api.read_namespaced_job_status(JOB, LATE).status.conditions or []
    return any(one.type == "Complete" and one.status == "True" for one in found)


def _job(asked: Sequence[Question]) -> Object:
    """A Job whose one container puts the questions, and then ends."""
    container = {
        "name": JOB,
        "image": WORKLOAD,
        "imagePullPolicy": "IfNotPresent",
        "command": ["probe", "ask"],
        "env": [{"name": QUESTIONS, "value": written(asked)}],
    }
    spec = {
        "serviceAccountName": SLEEP,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
    }
    template = {"metadata": {"labels": {"app": JOB}}, "spec": spec}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": JOB, "namespace": LATE},
        "spec": {"backoffLimit": 0, "template": template},
    }
