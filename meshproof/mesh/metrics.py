"""What proxies count of calls by Istio's own metrics, whose labels say who called whom
(https://istio.io/latest/docs/reference/config/metrics/). Plain Envoy has none of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from meshproof.kube.workload import Workload

Clusters = tuple[str, str]
"""Of calls the caller's cluster and the server's, as a proxy counts them."""
_NAME, _SERVICE = "istio_requests_total", "destination_service_name"
_SERIES = re.compile(rf"^{_NAME}\{{(?P<labels>.*)\}} (?P<value>[0-9.e+]+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SOURCE, DESTINATION = "source", "destination"
"""Who reports: the caller's proxy, or the server's."""


def requests_by_cluster(
    workloads: Iterable[Workload], reporter: str, service: str
) -> Counter[Clusters]:
    """How many requests for a service the proxies of these pods have counted as SOURCE or
    DESTINATION, by cluster. ``service``: its name without namespace.

    Raises EvidenceError when a proxy does not answer.
    """
    found: Counter[Clusters] = Counter()
    for workload in workloads:
        told = workload.admin(f"stats/prometheus?filter={_NAME}")
        for one in _SERIES.finditer(told):
            labels = dict(_LABEL.findall(one["labels"]))
            if labels.get("reporter") == reporter and labels.get(_SERVICE) == service:
                who = labels.get("source_cluster", ""), labels.get("destination_cluster", "")
                found[who] += int(float(one["value"]))
    return found
