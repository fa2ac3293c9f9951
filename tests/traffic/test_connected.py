"""What istiods say of the proxies that are connected to them."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.traffic.connected import passed_over, proxies_in, rejected, unready
from tests.claims.substitutes import world

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
NAMES = "type.googleapis.com/istio.networking.nds.v1.NameTable"
TAKEN = {"sent": "b", "acked": "b"}
ENTRIES: list[dict[str, Any]] = [
    {
        "proxy": "sleep-1.sample",
        "resources": {
            LISTENER: {"sent": "b", "acked": "a", "lastError": "no such filter"},
            CLUSTER: TAKEN,
        },
    },
    {"proxy": "stranger.other", "resources": {LISTENER: {"lastError": "another"}}},
    {"proxy": "sleep-2.sample"},
]


def test_what_the_meshs_own_proxies_reject_is_told() -> None:
    (told,) = rejected(["sleep-1.sample", "sleep-2.sample", "sleep-3.sample"], ENTRIES)
    assert told == "sleep-1.sample has rejected Listener: no such filter"


def of_sleep(**changed: dict[str, str]) -> list[dict[str, Any]]:
    kinds = {"cluster": CLUSTER, "listener": LISTENER, "names": NAMES}
    states = {"cluster": TAKEN, "listener": TAKEN, **changed}
    resources = {kinds[kind]: state for kind, state in states.items() if state}
    return [{"proxy": "sleep.sample", "resources": resources}]


@pytest.mark.parametrize(
    ("entries", "missing"),
    [
        ([], "sleep.sample is not connected"),
        ([{"proxy": "other.sample"}], "sleep.sample is not connected"),
        ([{"proxy": "sleep.sample"}], "sleep.sample was not sent any Cluster"),
        (of_sleep(listener={}), "sleep.sample was not sent any Listener"),
        (of_sleep(listener={"sent": "", "acked": ""}), "sleep.sample was not sent any Listener"),
        (of_sleep(cluster={"sent": "2", "acked": "1"}), "sleep.sample has not taken Cluster"),
        (of_sleep(cluster={"sent": "2", "acked": "1", "lastError": "rejected"}), ""),
        (of_sleep(names={"sent": "2", "acked": "1"}), "sleep.sample has not taken NameTable"),
        (of_sleep(names={"sent": "", "acked": ""}), ""),
        (of_sleep(), ""),
    ],
)
def test_proxies_are_ready_when_they_were_sent_all_and_have_taken_or_rejected_it(
    entries: list[dict[str, Any]], missing: str
) -> None:
    assert unready(["sleep.sample"], entries) == missing


def test_servers_that_pass_calls_on_unread_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = world(monkeypatch, "primary-remote-flat")
    first, last = made.servers()
    for one, ports in ((first, (5000, 9000)), (last, (15006,))):
        chains = [{"filter_chain_match": {"destination_port": port}} for port in ports]
        listener = {"name": "virtualInbound", "filter_chains": chains}
        made.dumps[one.name] = [{"active_state": {"listener": listener}}]
    assert passed_over(made.sample) == f"{last} without a filter chain for 5000"
    made.dumps[last.name] = made.dumps[first.name]
    assert passed_over(made.sample) == ""


def test_a_proxy_is_known_by_its_cluster_and_its_pod() -> None:
    entries = [{"proxy": "a.x", "cluster_id": "east"}, {"proxy": "a.x", "cluster_id": "west"}]
    assert proxies_in(entries) == {("east", "a.x"), ("west", "a.x")}
    assert proxies_in([]) == frozenset()
