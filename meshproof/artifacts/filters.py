"""Which of Istio's own filters a proxy lacks: asked of the proxy, by what it was compiled with.

Istio's proxy is Envoy with filters of Istio's own, and istiod configures them as if they were
there: a proxy without them rejects all that istiod says. Where an image comes from says nothing of
that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from meshproof.errors import ArtifactError
from meshproof.process import Finished
from meshproof.telling import telling_line

ALPN, METADATA, STATS = "istio.alpn", "istio.metadata_exchange", "istio.stats"
"""What istiod calls them in listeners."""
_COMPILED_IN: Mapping[str, frozenset[str]] = {
    ALPN: frozenset({"istio.alpn"}),
    METADATA: frozenset(
        {"envoy.filters.network.metadata_exchange", "envoy.filters.http.peer_metadata"}
    ),
    STATS: frozenset({"envoy.filters.http.istio_stats", "envoy.filters.network.istio_stats"}),
}
"""By filter the extensions of Envoy that it takes, by the names under which they are registered in
https://github.com/istio/proxy/tree/master/source/extensions/filters (``config.cc``, ``config.h``
and ``istio_stats.h`` there); since 2026 in Envoy's ``contrib/istio``."""
FILTERS = tuple(_COMPILED_IN)
"""All of Istio's own filters that istiod can be told to leave out."""
ASKED = ("-c", "/nothing", "-l", "info", "--disable-hot-restart")
"""Envoy's options, by which it tells what it was compiled with, and ends for want of a
configuration."""
PROGRAM = "/usr/local/bin/envoy"
"""Where the proxy is in Istio's image proxyv2."""
_LISTED = re.compile(r"\]\s+(?P<kind>[a-z][\w.]*): (?P<names>\S.*)$", re.MULTILINE)
_KINDS = ("envoy.filters.http", "envoy.filters.network")


def filters_off(whose: str, ask: Callable[[Sequence[str]], Finished]) -> tuple[str, ...]:
    """Those of ``FILTERS`` that a proxy was not compiled with.

    ``ask`` runs the proxy with these options, whatever it ends with; ``whose``: what the proxy is
    called. Raises ArtifactError where it does not tell.
    """
    said = ask(ASKED)
    listed = {
        one["kind"]: one["names"] for one in _LISTED.finditer(f"{said.stdout}\n{said.stderr}")
    }
    if not all(kind in listed for kind in _KINDS):
        words = telling_line(said.stderr, said.stdout, 160) or "nothing"
        raise ArtifactError(
            f"{whose} does not tell which filters it was compiled with, but: {words}",
            f"see that '{PROGRAM}' in it is an Envoy",
        )
    there = {name.strip() for kind in _KINDS for name in listed[kind].split(",")}
    return tuple(name for name, needed in _COMPILED_IN.items() if not needed <= there)
