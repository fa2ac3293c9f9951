"""What a proxy says of the configuration that it uses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import inbound_chains, inbound_ports


class Proxy:
    """One that says of its listeners what it is given."""

    def __init__(self, *listeners: dict[str, Any]) -> None:
        self.configs = list(listeners)

    def admin(self, path: str) -> str:
        assert path == "config_dump?resource=dynamic_listeners"
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
