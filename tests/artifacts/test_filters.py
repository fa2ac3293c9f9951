"""Which of Istio's filters a proxy lacks, by what proxies said when they were asked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from meshproof.artifacts.filters import ASKED, FILTERS, filters_off
from meshproof.errors import ArtifactError
from meshproof.process import Finished

# As Envoy 1.40.0 of the wheel on PyPI said it, with fewer names in each list.
PLAIN = """\
[2026-11-30 15:40:33.749][31483][info][main] [source/server/server.cc:465] statically linked extensions:
[2026-11-30 15:40:33.749][31483][info][main] [source/server/server.cc:467]   envoy.upstreams: envoy.filters.connection_pools.tcp.generic
[2026-11-30 15:40:33.749][31483][info][main] [source/server/server.cc:467]   envoy.filters.http: envoy.buffer, envoy.filters.http.lua, envoy.filters.http.wasm
[2026-11-30 15:40:33.749][31483][info][main] [source/server/server.cc:467]   envoy.filters.network: envoy.echo, envoy.filters.network.tcp_proxy, envoy.filters.network.wasm
[2026-11-30 15:40:33.902][31483][critical][main] [source/server/server.cc:449] error `unable to read file: /nothing` initializing config '  /nothing'
"""  # noqa: E501 - as it is
ISTIOS = PLAIN.replace(
    "envoy.filters.http.lua",
    "envoy.filters.http.istio_stats, envoy.filters.http.peer_metadata, istio.alpn",
).replace(
    "envoy.echo,",
    "envoy.echo, envoy.filters.network.istio_stats, envoy.filters.network.metadata_exchange,",
)


def asked(said: str) -> tuple[str, ...]:
    def ask(options: Sequence[str]) -> Finished:
        assert tuple(options) == ASKED
        return Finished(("envoy", *options), 1, "", said, 0.0)

    return filters_off("the proxy in docker.io/istio/proxyv2:1.31.1", ask)


def test_plain_envoy_lacks_all_of_them() -> None:
    assert asked(PLAIN) == FILTERS


def test_istios_own_proxy_lacks_none() -> None:
    assert asked(ISTIOS) == ()


@pytest.mark.parametrize(
    ("gone", "off"),
    [
        ("istio.alpn", "istio.alpn"),
        ("envoy.filters.http.peer_metadata", "istio.metadata_exchange"),
        ("envoy.filters.network.metadata_exchange", "istio.metadata_exchange"),
        ("envoy.filters.http.istio_stats", "istio.stats"),
        ("envoy.filters.network.istio_stats", "istio.stats"),
    ],
)
def test_a_filter_is_there_with_all_that_it_takes(gone: str, off: str) -> None:
    assert asked(ISTIOS.replace(gone, "envoy.another")) == (off,)


@pytest.mark.parametrize("said", ["", "exec /usr/local/bin/envoy: no such file", PLAIN[:200]])
def test_a_proxy_that_does_not_tell_is_a_sentence(said: str) -> None:
    with pytest.raises(ArtifactError, match=r"docker.io/istio/proxyv2:1.31.1 does not tell") as one:
        asked(said)
    assert "\n" not in str(one.value)
