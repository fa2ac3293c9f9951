"""Changes what is deployed, waits for it to run, and gives up at once on what never will."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Any

from meshproof.errors import LabError, WaitFailedError, WaitTimeoutError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.process import Shell, called_off
from meshproof.wait import eventually

_HOPELESS = frozenset(
    {
        "ErrImagePull",
        "ErrImageNeverPull",
        "ImagePullBackOff",
        "InvalidImageName",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "RunContainerError",
    }
)
_LAST_LINES = 3
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_ENDS_WITHIN = 90.0
"""Seconds: pods have half a minute to end, and their node is slow to tell."""
# An account or a webhook that comes a moment after the Deployment is no reason to give up.
_MAY_PASS = datetime.timedelta(seconds=15)


def change_template(
    cluster: RunningCluster, namespace: str, name: str, template: Mapping[str, Any]
) -> None:
    """Change the pods of a Deployment. ``template``: a strategic merge patch of their template.
    Raises LabError."""
    apps = client.AppsV1Api(cluster.api)
    with lab_errors(f"change Deployment {namespace}/{name} in {cluster.name}"):
        apps.patch_namespaced_deployment(name, namespace, {"spec": {"template": template}})


def scale(cluster: RunningCluster, namespace: str, replicas: Mapping[str, int]) -> None:
    """Have so many pods of each Deployment, by its name, without waiting for them. Raises
    LabError."""
    apps = client.AppsV1Api(cluster.api)
    for name, count in replicas.items():
        with lab_errors(f"scale Deployment {namespace}/{name} in {cluster.name}"):
            # The number alone: what else is wrong with a Deployment must not be put right by this.
            apps.patch_namespaced_deployment_scale(name, namespace, {"spec": {"replicas": count}})


def restart(cluster: RunningCluster, namespace: str, name: str, shell: Shell) -> None:
    """Have other pods in place of those of a Deployment, as `kubectl rollout restart` does; returns
    when the new ones are ready, and the old ones have ended. Raises LabError as ``await_rollout``.
    """
    before = pods_of(cluster, namespace, name)
    now = datetime.datetime.now(datetime.UTC).isoformat()
    change_template(cluster, namespace, name, {"metadata": {"annotations": {_RESTARTED: now}}})
    await_rollout(cluster, namespace, {name}, shell)
    await_end_of(cluster, namespace, name, before)


def await_end_of(cluster: RunningCluster, namespace: str, name: str, pods: Collection[str]) -> None:
    """Wait until none of these pods of a Deployment is there any more. Raises LabError."""
    what = f"the end of {', '.join(sorted(pods))} in {cluster.name}"
    with lab_errors(f"wait for {what}"):
        eventually(
            lambda: pods_of(cluster, namespace, name) & set(pods),
            until=lambda left: not left,
            what=what,
            within=_ENDS_WITHIN,
            every=0.25,
        )


def await_no_pods(
    cluster: RunningCluster, namespace: str, labels: str, within: float = _ENDS_WITHIN
) -> None:
    """Wait until no pod is left that ``labels`` select. Raises LabError, or WaitTimeoutError after
    ``within`` seconds."""
    what = f"the end of the pods of {labels} in {cluster.name}"
    with lab_errors(f"wait for {what}"):
        eventually(
            lambda: cluster.core.list_namespaced_pod(namespace, label_selector=labels).items,
            until=lambda left: not left,
            what=what,
            within=within,
        )


def pods_of(cluster: RunningCluster, namespace: str, name: str) -> set[str]:
    """The names of the pods that a Deployment selects, those that are about to end included.
    Raises LabError."""
    with lab_errors(f"list the pods of {namespace}/{name} in {cluster.name}"):
        found = client.AppsV1Api(cluster.api).read_namespaced_deployment(name, namespace)
        labels = found.spec.selector.match_labels
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        pods = cluster.core.list_namespaced_pod(namespace, label_selector=selector).items
    return {pod.metadata.name for pod in pods}


def await_rollout(
    cluster: RunningCluster,
    namespace: str,
    deployments: Collection[str],
    shell: Shell,
    within: float = 120.0,
) -> None:
    """Wait until the Deployments have all their pods, of their newest template, ready.

    ``within``: seconds; the wait also ends when ``shell`` is called off. Raises LabError, at
    once and with the reason when an image cannot be had, a container crashes again and again,
    or the API server refuses the pods.
    """
    what = f"{', '.join(sorted(deployments))} in {namespace} of {cluster.name}"
    with lab_errors(f"wait for {what}"):
        try:
            eventually(
                lambda: _missing(cluster, namespace, deployments),
                until=lambda missing: missing == "",
                fail_if=lambda _: _given_up(shell, cluster, namespace),
                what=what,
                within=within,
                every=0.25,
                recorder=shell.recorder,
            )
        except (WaitTimeoutError, WaitFailedError) as error:
            raise LabError(f"{error.cause}; {cluster.trouble()}") from error


def is_rolled_out(cluster: RunningCluster, namespace: str, name: str) -> bool:
    """Whether a Deployment has all its pods, of its newest template, ready. Raises LabError."""
    with lab_errors(f"look at Deployment {namespace}/{name} in {cluster.name}"):
        return _missing(cluster, namespace, [name]) == ""


def refusal_of(cluster: RunningCluster, namespace: str, name: str) -> str:
    """What the API server has said of pods of a Deployment that it did not admit; "" where it has
    not refused any. Raises LabError."""
    apps = client.AppsV1Api(cluster.api)
    with lab_errors(f"look at Deployment {namespace}/{name} in {cluster.name}"):
        found = apps.read_namespaced_deployment(name, namespace)
    said = [one for one in found.status.conditions or [] if _is_refusal(one)]
    return str(said[0].message) if said else ""


def _is_refusal(condition: client.V1DeploymentCondition) -> bool:
    return bool(condition.type == "ReplicaFailure" and condition.status == "True")


def _given_up(shell: Shell, cluster: RunningCluster, namespace: str) -> str | None:
    called_off(shell)
    return hopeless(cluster, namespace)


def hopeless(cluster: RunningCluster, namespace: str) -> str | None:
    """Why pods of a namespace will never run, with their last words; None while they may.

    Raises LabError when the API server does not answer.
    """
    with lab_errors(f"look at the pods in {namespace} of {cluster.name}"):
        for pod in cluster.core.list_namespaced_pod(namespace).items:
            states = [*(pod.status.init_container_statuses or [])]
            states += [*(pod.status.container_statuses or [])]
            for state in states:
                waiting = state.state.waiting if state.state else None
                if waiting is not None and waiting.reason in _HOPELESS:
                    said = _last_words(cluster, pod, state.name)
                    name = f"pod {namespace}/{pod.metadata.name} of {cluster.name}"
                    return f"{name}: {waiting.reason}: {waiting.message or ''}{said}"
        return _refused(cluster, namespace)


def _refused(cluster: RunningCluster, namespace: str) -> str | None:
    """What the API server says of pods that it does not admit (a webhook, a quota)."""
    apps = client.AppsV1Api(cluster.api)
    for deployment in apps.list_namespaced_deployment(namespace).items:
        for condition in deployment.status.conditions or []:
            since = datetime.datetime.now(datetime.UTC) - condition.last_transition_time
            if _is_refusal(condition) and since > _MAY_PASS:
                name = f"{namespace}/{deployment.metadata.name} of {cluster.name}"
                return f"pods of {name} are refused: {condition.message}"
    return None


def _missing(cluster: RunningCluster, namespace: str, names: Collection[str]) -> str:
    apps = client.AppsV1Api(cluster.api)
    found = {one.metadata.name: one for one in apps.list_namespaced_deployment(namespace).items}
    for name in sorted(names):
        if name not in found:
            return f"{name} is not there yet"
        spec, status = found[name].spec, found[name].status
        updated, ready = status.updated_replicas or 0, status.ready_replicas or 0
        current = status.observed_generation == found[name].metadata.generation
        total = status.replicas or 0
        if not current or not updated == ready == total == spec.replicas:
            return f"{name}: {ready} of {spec.replicas} ready, {total} in all"
    return ""


def _last_words(cluster: RunningCluster, pod: client.V1Pod, container: str) -> str:
    try:
        log = cluster.core.read_namespaced_pod_log(
            pod.metadata.name,
            pod.metadata.namespace,
            container=container,
            tail_lines=_LAST_LINES,
            previous=True,
        )
    except client.ApiException:
        return ""
    return f"; said last: {' | '.join(log.splitlines())[:600]}" if log else ""
