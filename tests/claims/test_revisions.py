"""What is claimed of sidecars in namespaces that ask for a revision."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from suites.revisions.claims import STATUS, sidecars_follow
from tests.claims.table import SPLIT, Case, Doing, Stage, cases, fails, judge, on, passes
from tests.doubles.played import PlayedPod


def injected(by: str = "canary", istiod: str = "istiod-canary", where: str = "west") -> Doing:
    """The sidecars of one cluster were injected by a revision, and ask an istiod."""

    def done(stage: Stage) -> None:
        def info(pod: PlayedPod) -> str:
            name = istiod if pod.cluster == where else "istiod-canary"
            metadata = {"PROXY_CONFIG": {"discoveryAddress": f"{name}.istio-system.svc:15012"}}
            return json.dumps({"node": {"metadata": metadata}})

        stage.world.pages["server_info"] = info
        for name, cluster in stage.world.clusters.items():
            noted = json.dumps({"revision": by if name == where else "canary"})
            pod = SimpleNamespace(metadata=SimpleNamespace(annotations={STATUS: noted}))
            read = SimpleNamespace(read_namespaced_pod=lambda *_, found=pod: found)
            cluster.__dict__["core"] = read

    return done


def without_sidecar(stage: Stage) -> None:
    injected()(stage)
    pods = stage.world.pods
    pods[:] = [replace(one, sidecar=False) if one.cluster == "west" else one for one in pods]


CASES = cases(
    sidecars_follow,
    on("canary", topology=SPLIT, variants=("revision",)),
    passes(doing=injected()),
    fails("by 'default', from istiod-canary.istio-system.svc:15012, in west", injected("default")),
    fails("from istiod.istio-system.svc:15012, in west", injected(istiod="istiod")),
    fails("it has no sidecar in west", without_sidecar),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_revisions(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
