"""Creates and deletes kind clusters, and says why when one does not come up."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from meshproof.engine import Engine
from meshproof.errors import CommandError, EngineError, LabError, WaitFailedError, WaitTimeoutError
from meshproof.events import Recorder
from meshproof.kube import client, dns
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import hopeless
from meshproof.kube.node_probes import deploy_node_probes, missing_node_probes
from meshproof.kube.seam import in_words
from meshproof.lab.audited import write_audited
from meshproof.lab.nodes import introduce_when_there
from meshproof.lab.ownership import object_name
from meshproof.model import Cluster
from meshproof.telling import plain_lines, shortened
from meshproof.wait import eventually

_KIND_WITHIN = 420.0
"""Seconds."""
# What kubelet says of causes; most of its errors are their consequences ("node not found").
_TELLING = re.compile(r"pull|andbox|CrashLoop|no space|cgroup|mount|evict", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """kind, used for one lab. ``program``: its executable."""

    program: Path
    engine: Engine
    recorder: Recorder
    lab_id: str

    def create(
        self, spec: Cluster, image: str, network: str, kubeconfig: Path, within: float = 180.0
    ) -> RunningCluster:
        """Create one cluster on ``network`` and wait until its nodes are ready, each with a probe.

        Its DNS follows a few seconds later: whoever needs names waits with ``dns.await_dns``.
        ``kubeconfig`` is written with mode 0600; ``within``: seconds. Raises LabError that
        names the container or pod at fault and what it said last.
        """
        with self._introducing_nodes(spec):
            self._run_kind(spec, image, network, kubeconfig)
        kubeconfig.chmod(0o600)
        cluster = RunningCluster(spec, kubeconfig, self.engine)
        try:
            dns.cut_off(cluster)
            deploy_node_probes(cluster)
            eventually(
                lambda: _not_ready(cluster),
                until=lambda missing: missing == "",
                fail_if=lambda missing: hopeless(self.engine.shell, missing),
                what=f"cluster {spec.name}",
                within=within,
                every=0.25,
                recorder=self.recorder,
            )
        except (client.ApiException, client.HTTPError, WaitTimeoutError, WaitFailedError) as error:
            raise LabError(
                f"cluster {spec.name} did not become ready: {in_words(error)}; "
                f"{self._last_words(spec)}"
            ) from error
        return cluster

    @contextmanager
    def _introducing_nodes(self, spec: Cluster) -> Iterator[None]:
        """While kind is at work inside: let nodes find each other, as soon as they run."""
        if spec.nodes == 1:
            yield
            return
        name, ended = object_name(self.lab_id, spec.name), threading.Event()
        given_up = partial(_ended, ended)
        with ThreadPoolExecutor(max_workers=1) as aside:
            args = (self.engine, name, spec.nodes, _KIND_WITHIN, given_up)
            introduced = aside.submit(introduce_when_there, *args)
            try:
                yield
            finally:
                ended.set()
            introduced.result()

    def _run_kind(self, spec: Cluster, image: str, network: str, kubeconfig: Path) -> None:
        config = write_audited(spec.name, spec.kind_config, kubeconfig.parent)
        options = {
            "--name": object_name(self.lab_id, spec.name),
            "--config": str(config),
            "--image": image,
            "--kubeconfig": str(kubeconfig),
        }
        words = [word for option in options.items() for word in option]
        try:
            self.engine.shell.run(
                [str(self.program), "create", "cluster", "--retain", *words],
                # No proxies are in it: kind would hand them on to its nodes.
                env=self.engine.kind_environment(network),
                timeout=_KIND_WITHIN,
            )
        except CommandError as error:
            said = _kind_error(error)
            raise LabError(
                f"kind could not create cluster {spec.name}: {said}; {self._last_words(spec)}"
            ) from error

    def _last_words(self, spec: Cluster) -> str:
        """What the cluster's control plane container said last: kubelet's errors, or its log."""
        container = f"{object_name(self.lab_id, spec.name)}-control-plane"
        journal = ["journalctl", "-u", "kubelet", "-n", "200", "--no-pager", "-o", "cat"]
        try:
            kubelet = self.engine.exec(container, journal, check=False, timeout=20).stdout
        except EngineError as error:
            return str(error)
        errors = [line for line in kubelet.splitlines() if re.match(r"E\d{4} ", line)]
        causes = [line for line in errors if _TELLING.search(line)]
        lines = causes or errors or self.engine.logs(container, 10).splitlines()
        last = " | ".join(line.strip()[:300] for line in lines[-2:])
        return f"container {container} said last: {last or 'nothing'}"


def _ended(ended: threading.Event) -> str | None:
    return "kind has ended" if ended.is_set() else None


def _not_ready(cluster: RunningCluster) -> str:
    """What is still missing before the cluster is ready; empty when nothing is."""
    nodes = cluster.core.list_node().items
    for node in nodes:
        conditions = {condition.type: condition for condition in node.status.conditions or []}
        if "Ready" not in conditions or conditions["Ready"].status != "True":
            told = conditions["Ready"].message if "Ready" in conditions else "no status yet"
            return f"node {node.metadata.name}: {told}"
        if not node.spec.pod_cidr:
            return f"node {node.metadata.name} has no range for its pods"
    if len(nodes) < cluster.spec.nodes:
        return f"{len(nodes)} of {cluster.spec.nodes} nodes"
    return missing_node_probes(cluster)


def _kind_error(error: CommandError) -> str:
    """kind's own error line, without the log of the command that failed in the node."""
    lines = [line for line in plain_lines(error.stderr) if line.startswith("ERROR")]
    return shortened(lines[0]) if lines else error.cause
