"""Metrics that name another cluster than the one that answered are noticed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from meshproof.expect import Verdict, noticed
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.manifests import SYSTEM
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.sample import Sample
from suites.telemetry.claims import counted_by_cluster

_ELSEWHERE = f"elsewhere-{secrets.token_hex(3)}"


@proves("telemetry/counted-by-cluster")
@requires(Capability.ISTIO_FILTERS)
def test_another_cluster_in_metrics_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """Where a Telemetry writes another name for the server's cluster, the claim fails and names
    it."""
    caller = sample.clusters[0]
    client = sample.caller(caller)
    renamed = {
        "apiVersion": "telemetry.istio.io/v1",
        "kind": "Telemetry",
        "metadata": {"name": _ELSEWHERE, "namespace": SYSTEM},
        "spec": {
            "metrics": [
                {
                    "providers": [{"name": "prometheus"}],
                    "overrides": [
                        {
                            "match": {"metric": "REQUEST_COUNT"},
                            "tagOverrides": {"destination_cluster": {"value": f"'{_ELSEWHERE}'"}},
                        }
                    ],
                }
            ]
        },
    }
    try:
        with configured(sample.mesh, [renamed]):
            require(
                lambda: _ELSEWHERE in in_use(client, LISTENERS),
                what=f"{_ELSEWHERE} in the listeners of {client}",
            )
            verdict = counted_by_cluster(sample, caller)
    finally:
        await_healed(
            sample, lambda: _ELSEWHERE not in in_use(client, LISTENERS), "metrics as they were"
        )
    judge(noticed([verdict], _ELSEWHERE))
