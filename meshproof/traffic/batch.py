"""A batch of calls as a run's record tells it: who called what how often, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from meshproof.events import Data
from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import LogLine
from meshproof.traffic.response import Response

_MOST_LINES = 3
_MOST_ROUTES = 20
Route = tuple[str, str, str, str]
"""How a call went: the upstream "address:port" that the caller's proxy chose, the cluster that
answered, the version, and the status or how it ended instead; what is not known is ""."""


def counted(
    caller: Workload,
    url: str,
    headers: Mapping[str, str],
    responses: Sequence[Response],
    seconds: float,
) -> Data:
    """The batch in figures.

    ``answers``: how many calls ended with each status, or without one in which way;
    ``versions``: how many each version answered, by its own word; ``upstreams``: how many the
    caller's proxy sent to each "address:port", as far as its log says so; ``routes`` and ``lines``
    as ``routes_of`` and ``lines_of`` have them. ``seconds``: what the batch took in all, its log
    lines included.
    """
    logs = [one.log for one in responses if one.log is not None]
    return {
        "caller": f"{caller.namespace}/{caller.name}",
        "cluster": caller.cluster,
        "sidecar": caller.sidecar,
        "url": url,
        "headers": dict(headers),
        "calls": len(responses),
        "answers": _counts(map(_answer, responses)),
        "versions": _counts(one.version for one in responses if one.version),
        "upstreams": _counts(log.upstream_host for log in logs if log.upstream_host),
        "routes": routes_of(map(_route, responses)),
        "lines": lines_of((_route(one), one.log) for one in responses),
        "seconds": round(seconds, 3),
    }


def routes_of(routes: Iterable[Route]) -> list[Data]:
    """How many calls went each way, the most frequent first, and 20 ways at most."""
    return [
        {"upstream": upstream, "cluster": cluster, "version": version, "answer": answer, "calls": n}
        for (upstream, cluster, version, answer), n in Counter(routes).most_common(_MOST_ROUTES)
    ]


def lines_of(logged: Iterable[tuple[Route, LogLine | None]]) -> list[dict[str, str | int]]:
    """A line of the caller's access log for each of the first ways that calls went, three at most,
    without the fields that say nothing."""
    examples: dict[Route, LogLine] = {}
    for route, line in logged:
        if line is not None and len(examples) < _MOST_LINES:
            examples.setdefault(route, line)
    return [
        {name: value for name, value in asdict(line).items() if value} for line in examples.values()
    ]


def _route(response: Response) -> Route:
    upstream = response.log.upstream_host if response.log is not None else ""
    return upstream, response.cluster or "", response.version or "", _answer(response)


def _answer(response: Response) -> str:
    if response.refusal is not None:
        return response.refusal.value
    return str(response.status)


def _counts(words: Iterable[str]) -> dict[str, int]:
    """How often each word comes, the most frequent first."""
    return dict(Counter(words).most_common())
