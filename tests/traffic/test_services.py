"""Services for a while: calls are made once they find their way, and not before."""

from __future__ import annotations

from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import EvidenceError
from meshproof.kube.names import NameAnswer
from meshproof.traffic import services, settle
from meshproof.wait import eventually
from meshproof.workloads.sample import helloworld_service

SERVICE = helloworld_service(name="narrowed")
HOST = "narrowed.sample.svc.cluster.local"
KNOWN = NameAnswer("NOERROR", (IPv4Address("10.11.0.5"),))


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A sample of two clusters; what is waited for is looked at a few times only."""

    def soon(probe: Any, **how: Any) -> Any:
        return eventually(probe, **{**how, "within": 0.05, "every": 0.01})

    monkeypatch.setattr(settle, "eventually", soon)
    monkeypatch.setattr(services, "side_by_side", lambda _, act, items: list(map(act, items)))
    monkeypatch.setattr(services, "dns_address", lambda _: IPv4Address("10.11.0.10"))
    monkeypatch.setattr(services, "await_drained", lambda _: True)
    mesh = SimpleNamespace(shell=None, cluster=lambda name: name)
    callers = {name: SimpleNamespace(cluster=name) for name in ("east", "west")}
    return SimpleNamespace(mesh=mesh, clusters=tuple(callers), caller=callers.get)


def told(monkeypatch: pytest.MonkeyPatch, routes: dict[str, str], names: dict[str, Any]) -> None:
    monkeypatch.setattr(services, "in_use", lambda caller, _: routes[caller.cluster])
    monkeypatch.setattr(services, "ask_name", lambda caller, *_: names[caller.cluster])


ROUTED, KNOWN_TO_ALL = (
    dict.fromkeys(("east", "west"), f'["{HOST}"]'),
    {"east": KNOWN, "west": KNOWN},
)


def test_who_has_name_and_route_finds_the_way(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, ROUTED, KNOWN_TO_ALL)
    services.require_ways(two, [SERVICE])


def test_a_route_that_is_missing_is_told(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, {**ROUTED, "west": f'["other.{HOST}"]'}, KNOWN_TO_ALL)
    with pytest.raises(EvidenceError, match=f"a route to {HOST} in .*west"):
        services.require_ways(two, [SERVICE])


def test_a_name_that_is_missing_is_told(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, ROUTED, {**KNOWN_TO_ALL, "east": NameAnswer("NXDOMAIN")})
    with pytest.raises(EvidenceError, match=f"the name {HOST} in east"):
        services.require_ways(two, [SERVICE])


def test_servers_that_go_on_draining_are_told(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, ROUTED, KNOWN_TO_ALL)
    monkeypatch.setattr(services, "await_drained", lambda _: False)
    with pytest.raises(EvidenceError, match=f"servers of {HOST} still drain"):
        services.require_ways(two, [SERVICE])
