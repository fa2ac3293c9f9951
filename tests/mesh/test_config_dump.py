"""What a proxy says of the configuration that it uses."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, cast

from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import (
    LISTENERS,
    SECRETS,
    inbound_chains,
    inbound_ports,
    shown_chain,
    trusted_roots,
)
from meshproof.mesh.trust import Authority


class Proxy:
    """One that says of a part of its configuration, its listeners by default, what it is given."""

    def __init__(self, *configs: dict[str, Any], part: str = LISTENERS) -> None:
        self.configs, self.part = list(configs), part

    def admin(self, path: str) -> str:
        assert path == f"config_dump?resource={self.part}"
        return json.dumps({"configs": self.configs})


def chain(port: int | None, *filters: str) -> dict[str, Any]:
    match = {} if port is None else {"destination_port": port}
    return {"filter_chain_match": match, "filters": [{"name": one} for one in filters]}


def listener(chains: Sequence[dict[str, Any]], name: str = "virtualInbound") -> dict[str, Any]:
    return {"name": name, "active_state": {"listener": {"name": name, "filter_chains": chains}}}


def of(*listeners: dict[str, Any]) -> Workload:
    return cast(Workload, Proxy(*listeners))


def test_the_chains_for_a_port_are_not_those_for_ports_that_no_service_names() -> None:
    proxy = of(listener([chain(None, "faults"), chain(5000, "plain"), chain(9000, "faults")]))
    assert "plain" in inbound_chains(proxy, 5000)
    assert "faults" not in inbound_chains(proxy, 5000)
    assert inbound_chains(proxy, 5001) == "[]"
    assert inbound_ports(proxy) == {5000, 9000}


def test_what_is_no_inbound_listener_or_is_not_in_use_yet_does_not_count() -> None:
    coming = {"name": "virtualInbound", "warming_state": listener([chain(5000)])["active_state"]}
    proxy = of(listener([chain(5000)], "virtualOutbound"), coming)
    assert inbound_chains(proxy, 5000) == "[]"


def test_the_certificates_that_a_proxy_shows_are_not_those_that_it_trusts() -> None:
    root, other = Authority.root("a"), Authority.root("b")
    below = root.intermediate("c")

    def inline(*pems: str) -> dict[str, str]:
        return {"inline_bytes": base64.b64encode("".join(pems).encode()).decode()}

    chain = {"certificate_chain": inline(below.pem, root.pem), "private_key": {}}
    trusted = {"trusted_ca": inline(root.pem, other.pem)}
    own = {"name": "default", "secret": {"name": "default", "tls_certificate": chain}}
    roots = {"name": "ROOTCA", "secret": {"name": "ROOTCA", "validation_context": trusted}}
    proxy = cast(Workload, Proxy(own, roots, part=SECRETS))
    assert shown_chain(proxy) == (below.certificate, root.certificate)
    assert trusted_roots(proxy) == (root.certificate, other.certificate)
    assert shown_chain(cast(Workload, Proxy(roots, part=SECRETS))) == ()
