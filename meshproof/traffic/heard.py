"""What the servers' own proxies logged of requests, by the version that each came to."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.traffic.access_log import WITHIN, LogLine, entries_of_all
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import Sample


def heard_by_version(sample: Sample, caller: str, ids: Sequence[str]) -> dict[str, list[LogLine]]:
    """What each version that a caller reaches logged of the requests with these ids: all of them,
    or those that there are after some seconds. Raises EvidenceError when a version has no pod."""
    reached = sample.reached_from(caller)
    servers = [one for one in sample.every_server() if one.version in reached]
    found: dict[str, list[LogLine]] = {}

    def look() -> int:
        for version in reached:
            theirs = [one for one in servers if one.version == version]
            found[version] = list(entries_of_all(theirs, ids, within=0).values())
        return sum(map(len, found.values()))

    converge(look, until=lambda lines: lines == len(ids), what="lines", within=WITHIN)
    return found
