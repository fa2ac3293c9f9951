"""What the network of somebody's clusters is found to be, beside what a topology says of it."""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError, UsageError
from meshproof.kube import RunningCluster
from meshproof.kube.asking import Failed, Failure, Reply
from meshproof.lab.own import network
from meshproof.lab.own.lab import check_ranges
from meshproof.lab.own.network import Probed, Reach, _says, differences
from meshproof.model import Cluster, Footprint, Pair, Version, Wiring, flat, isolated

KUBERNETES = Version(1, 33, 4)
POD = {"east": IPv4Address("10.10.0.5"), "west": IPv4Address("10.20.0.5")}
PAIRS: tuple[Pair, ...] = (("east", "west"), ("west", "east"))


def footprint(west: str = "10.20.0.0/16", services: str = "10.21.0.0/16") -> Footprint:
    east = Cluster("east", IPv4Network("10.10.0.0/16"), IPv4Network("10.11.0.0/16"), "")
    other = Cluster("west", IPv4Network(west), IPv4Network(services), "")
    return Footprint((east, other), KUBERNETES)


def probed(
    *,
    heard: bool = True,
    masqueraded: bool = False,
    gateway: bool | None = True,
    api: bool | None = True,
    without: dict[str, str] | None = None,
) -> Probed:
    reached = {}
    for caller, called in PAIRS:
        address = "10.0.0.1" if masqueraded else str(POD[caller])
        reached[caller, called] = Reach(POD[caller], address if heard else "", gateway, api)
    return Probed(reached, without or {})


def test_a_flat_network_is_as_a_flat_topology_says() -> None:
    assert differences(flat(footprint()), probed()) == ([], [])
    assert differences(flat(footprint()), probed(gateway=None)) == ([], [])


def test_pods_that_are_not_reached_are_no_flat_network() -> None:
    wrong, other = differences(flat(footprint()), probed(heard=False))
    assert other == []
    assert wrong[0] == (
        "flat has east and west on one network, and pods of east do not reach pods of west"
    )
    assert len(wrong) == 2


def test_masquerading_is_told_and_no_reason_to_stop() -> None:
    wrong, other = differences(flat(footprint()), probed(masqueraded=True))
    assert wrong == []
    assert other[0].startswith("west's pods see 10.0.0.1 in place of east's pod 10.10.0.5")


def test_two_networks_are_as_a_split_topology_says() -> None:
    assert differences(isolated(), probed(heard=False)) == ([], [])


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (probed(heard=False, gateway=False), "do not reach the load balancer of"),
        (probed(heard=False, api=False), "do not reach the API server of"),
        (probed(heard=False, gateway=None, without={"west": "no address"}), "has no load balancer"),
    ],
)
def test_what_no_mesh_of_two_networks_can_work_with_is_wrong(found: Probed, told: str) -> None:
    wrong, _ = differences(isolated(), found)
    assert wrong and all(told in one for one in wrong)


def test_two_networks_that_are_one_are_told() -> None:
    wrong, other = differences(isolated(), probed())
    assert wrong == []
    assert "reach pods of west at their own addresses: it is one network" in other[0]


def test_without_a_load_balancer_a_flat_topology_may_do() -> None:
    wrong, other = differences(flat(footprint()), probed(gateway=None, without={"east": "none"}))
    assert wrong == [] and other == ["east has no load balancer: none"]


def test_an_api_server_that_nobody_reads_need_not_be_reached() -> None:
    nobody = Wiring("alone", dict.fromkeys(PAIRS, frozenset()))
    assert differences(nobody, probed(heard=False, api=False, gateway=None)) == ([], [])


def test_what_was_reached_is_said() -> None:
    said = str(Probed({("east", "west"): Reach(POD["east"], "", gateway=True, api=False)}))
    assert said == "east reaches of west not its pods, its gateways, not its API server"
    (first, _) = probed(masqueraded=True).reached.values()
    assert str(first).startswith("its pods, which see its node (10.0.0.1)")


def test_an_answer_of_somebody_else_is_none() -> None:
    """Where ranges overlap, the other's address is a pod's at home, which answers."""
    assert _says(Reply(payload=b"west hears 10.10.0.5\n"), "west") == "10.10.0.5"
    assert _says(Reply(payload=b"east hears 10.10.0.5\n"), "west") is None
    assert _says(Reply(Failure(Failed.SILENCE, "")), "west") is None


def test_ranges_are_as_the_topology_has_them() -> None:
    apart, same = footprint(), footprint("10.10.0.0/16", "10.11.0.0/16")
    check_ranges(apart, apart, isolated())
    check_ranges(same, same, isolated())
    with pytest.raises(UsageError, match="of clusters whose addresses differ, and these share"):
        check_ranges(apart, same, isolated())
    with pytest.raises(UsageError, match="of clusters that share addresses, and these do not"):
        check_ranges(same, apart, isolated())
    assert cast(object, apart) != same


class Starting:
    """A cluster whose probe comes up in some way. ``pods``: those that there are; ``told``: what
    the Deployment's controller was told."""

    def __init__(self, *pods: dict[str, Any], told: str = "") -> None:
        self.name, self.api = "east", None
        self.pods, self.told = pods, told
        self.core = SimpleNamespace(list_namespaced_pod=self._listed)

    def _listed(self, *_: object, **__: object) -> Any:
        return SimpleNamespace(items=[_objects(one) for one in self.pods])

    def deployment(self, *_: object) -> Any:
        said = [{"type": "ReplicaFailure", "message": self.told}] if self.told else []
        return _objects({"status": {"conditions": said}})


def _objects(value: Any) -> Any:
    """JSON as objects whose fields are attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{key: _objects(one) for key, one in value.items()})
    return [_objects(one) for one in value] if isinstance(value, list) else value


def waiting(reason: str, message: str) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    container = {"image": "registry/w:1", "state": state}
    return {"status": {"phase": "Pending", "conditions": [], "container_statuses": [container]}}


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (
            Starting(waiting("ErrImagePull", "no such host")),
            "ErrImagePull: no such host .* name one by --workload-images",
        ),
        (
            Starting(told='pods "node-probe-1" is forbidden: exceeded quota: small'),
            "exceeded quota: small: let its policies .* pass pods",
        ),
        (
            Starting(told='pods "x" is forbidden: violates PodSecurity "restricted:latest"'),
            "violates PodSecurity .*: let its policies",
        ),
    ],
)
def test_what_keeps_our_pods_out_is_told_at_once(
    cluster: Starting, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "apply", lambda *_: None)
    apps = SimpleNamespace(read_namespaced_deployment=cluster.deployment)
    monkeypatch.setattr("kubernetes.client.AppsV1Api", lambda _: apps)
    begin = time.monotonic()
    with pytest.raises(LabError, match=told):
        network.deploy_probe(cast(RunningCluster, cluster))
    assert time.monotonic() - begin < 60


def test_a_pod_that_injection_makes_is_tried_and_refused_in_the_servers_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    status = {"phase": "Running", "pod_ip": "10.1.0.1", "conditions": []}
    running = {"status": {**status, "container_statuses": []}}

    def refused(_: object, one: Any) -> None:
        added = one["spec"]["initContainers"][0]["securityContext"]["capabilities"]["add"]
        assert added == ["NET_ADMIN", "NET_RAW"]
        raise LabError('could not make Pod: 403 Forbidden: violates PodSecurity "baseline:latest"')

    monkeypatch.setattr(network, "apply", lambda *_: None)
    monkeypatch.setattr(network, "would_be", refused)
    told = r"cluster east does not take our pods: .* violates PodSecurity \"baseline:latest\""
    with pytest.raises(LabError, match=told):
        network.deploy_probe(cast(RunningCluster, Starting(running)))
