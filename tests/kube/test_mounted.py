"""What pods have mounted is read on their nodes, and kubelet made to look at them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError
from meshproof.kube.mounted import look_again, mounted
from meshproof.kube.workload import PodWorkload
from tests.stand_ins import workload


class Cluster:
    """One pod, and the files on its node."""

    name = "east"

    def __init__(self, **files: str) -> None:
        self.files, self.patched = files, list[Any]()
        pod = SimpleNamespace(metadata=SimpleNamespace(uid="u1"))
        self.core = SimpleNamespace(
            read_namespaced_pod=lambda *_: pod,
            patch_namespaced_pod=lambda *told: self.patched.append(told),
        )

    def on_node(self, _: object, *argv: str, check: bool) -> Any:
        assert argv[0] == "cat" and not check
        folder = "/var/lib/kubelet/pods/u1/volumes/kubernetes.io~configmap/roots/"
        text = self.files.get(argv[1].removeprefix(folder))
        code, said = (1, "no such file") if text is None else (0, "")
        return SimpleNamespace(returncode=code, stdout=text, stderr=said)


def pod_of(cluster: Cluster) -> PodWorkload:
    return replace(workload("sleep", "east"), running=cast(Any, cluster))


def test_a_file_is_read_where_kubelet_keeps_it() -> None:
    assert mounted(pod_of(Cluster(pem="text")), "configmap", "roots", "pem") == "text"


def test_what_is_not_mounted_is_told() -> None:
    with pytest.raises(EvidenceError, match="no pem of roots: no such file"):
        mounted(pod_of(Cluster()), "configmap", "roots", "pem")


def test_a_pod_is_looked_at_again_for_another_annotation() -> None:
    cluster = Cluster()
    look_again(pod_of(cluster))
    look_again(pod_of(cluster))
    seen = [told[2]["metadata"]["annotations"]["meshproof/looked-at"] for told in cluster.patched]
    assert len(set(seen)) == 2
