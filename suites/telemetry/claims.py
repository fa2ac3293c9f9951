"""What is claimed of Istio's metrics, so that sabotage can claim the same.

The labels are https://istio.io/latest/docs/reference/config/metrics/#labels. That a caller's proxy
may know the wrong cluster of a server on another network was a bug of Istio's
(releasenotes/notes/network-gw-metadata.yaml in its sources).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, succeeded
from meshproof.expect.control import with_control
from meshproof.kube.workload import Workload
from meshproof.mesh.metrics import DESTINATION, SOURCE, Clusters, requests_by_cluster
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HELLOWORLD, Sample

# With two equal versions the odds that one is never chosen are 2 in 2^20.
_CALLS = 20
_WITHIN = 10.0


def counted_by_cluster(sample: Sample, caller: str) -> Verdict:
    """Each call from a cluster is counted once by the caller's proxy and once by the server's, both
    times under the caller's cluster and under that of the pod that answered."""
    client, servers = sample.caller(caller), sample.every_server()
    before = _counted(client, servers)
    responses = call(sample, client, Plan(times=_CALLS))
    due = Counter((caller, str(one.cluster)) for one in responses if one.succeeded)

    def risen() -> dict[str, Counter[Clusters]]:
        after = _counted(client, servers)
        return {who: after[who] - before[who] for who in before}

    converge(
        lambda: all(one.total() >= due.total() for one in risen().values()),
        what=f"{due.total()} calls to be counted",
        within=_WITHIN,
    )
    found = risen()
    verdicts = [_is_due(who, due, one) for who, one in found.items()]
    return with_control(all_of(verdicts), succeeded(responses))


def _counted(client: Workload, servers: Sequence[Workload]) -> dict[str, Counter[Clusters]]:
    return {
        "the caller's proxy": requests_by_cluster([client], SOURCE, HELLOWORLD),
        "the servers' proxies": requests_by_cluster(servers, DESTINATION, HELLOWORLD),
    }


def _is_due(who: str, due: Counter[Clusters], risen: Counter[Clusters]) -> Verdict:
    expected = f"{who} to count {_told(due)}"
    outcome = Outcome.PASS if risen == due else Outcome.FAIL
    return Verdict(outcome, expected, _told(risen) if risen else "no call at all")


def _told(counts: Counter[Clusters]) -> str:
    return ", ".join(
        f"{number} from '{source}' to '{there}'" for (source, there), number in counts.most_common()
    )
