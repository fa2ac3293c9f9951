"""A batch of calls as a run's record tells it: who called what how often, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from meshproof.events import Data
from meshproof.kube.workload import Workload
from meshproof.traffic.response import Response


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
    caller's proxy sent to each "address:port", as far as its log says so. ``seconds``: what the
    batch took in all, its log lines included.
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
        "seconds": round(seconds, 3),
    }


def _answer(response: Response) -> str:
    if response.refusal is not None:
        return response.refusal.value
    return str(response.status)


def _counts(words: Iterable[str]) -> dict[str, int]:
    """How often each word comes, the most frequent first."""
    return dict(Counter(words).most_common())
