"""What a restart took away of a kept lab is found, and put back; or else one sentence says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.engine import Container
from meshproof.errors import CancelledError, CommandError, LabError
from meshproof.events import Recorder
from meshproof.lab import restart
from meshproof.lab.base import Lab
from meshproof.lab.ownership import Description
from meshproof.lab.restart import Nodes, await_return, how_found, not_back, put_back
from meshproof.process import Finished
from tests.lab.fakes import FakeEngine

CONTROL, WORKER = "mp-0a1b2c3d-east-control-plane", "mp-0a1b2c3d-east-worker"
NODES = {CONTROL: IPv4Address("172.30.0.3"), WORKER: IPv4Address("172.30.0.2")}
BEGUN = {CONTROL: 1_000.9, WORKER: 2_000.0}


class Machine(FakeEngine):
    """Two nodes of a cluster. ``at``: their addresses now; ``wired``: those with our rules."""

    def __init__(self, at: Mapping[str, str], running: Sequence[str], wired: Sequence[str]) -> None:
        super().__init__()
        self.at, self.running, self.wired = dict(at), set(running), set(wired)
        self.done: list[tuple[str, ...]] = []
        self.refuses = ""

    def containers(self) -> list[Container]:
        return [Container(name, name in self.running, {}) for name in self.at]

    def exec(self, container: str, argv: Sequence[str], **options: Any) -> Finished:
        assert container in self.running
        if argv[0] == "ip":
            infos = [{"addr_info": [{"local": self.at[container], "prefixlen": 24}]}]
            return Finished(tuple(argv), 0, json.dumps(infos), "", 0.0)
        if argv[0] == "sh":
            self.done.append(("names", container))
        known = argv[0] == "sh" or container in self.wired
        return Finished(tuple(argv), 0 if known else 1, "", "", 0.0)

    def command(self, *argv: str, **options: Any) -> Finished:
        if self.refuses and self.refuses in argv:
            raise CommandError(["podman", *argv], 125, "", "address is taken")
        self.done.append(argv)
        if argv[0] == "start":
            self.running |= set(argv[1:])
        if argv[:2] == ("network", "connect"):
            self.at[argv[-1]] = argv[3]
        return Finished(argv, 0, "", "", 0.0)


def machine(**changes: Any) -> Machine:
    as_left: dict[str, Any] = {
        "at": {name: str(address) for name, address in NODES.items()},
        "running": [*NODES],
        "wired": [*NODES],
    }
    return Machine(**{**as_left, **changes})


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, Nodes.AS_LEFT),
        ({"wired": [CONTROL]}, Nodes.BARE),
        ({"wired": []}, Nodes.BARE),
        ({"running": [CONTROL]}, Nodes.ASTRAY),
        ({"running": []}, Nodes.ASTRAY),
        ({"at": {CONTROL: "172.30.0.2", WORKER: "172.30.0.3"}}, Nodes.ASTRAY),
    ],
)
def test_how_nodes_are_found(changes: dict[str, Any], found: Nodes) -> None:
    assert how_found(machine(**changes), NODES) is found


def test_a_node_that_is_gone_is_named() -> None:
    with pytest.raises(LabError, match=f"container {WORKER} is gone"):
        how_found(machine(at={CONTROL: "172.30.0.3"}), NODES)


def status(started: float, ready: bool = True, running: bool = True) -> SimpleNamespace:
    at = SimpleNamespace(started_at=datetime.fromtimestamp(started, UTC))
    return SimpleNamespace(
        name="c", ready=ready, state=SimpleNamespace(running=at if running else None)
    )


def pod(
    *statuses: SimpleNamespace, node: str = CONTROL, phase: str = "Running", leaving: bool = False
) -> Any:
    return SimpleNamespace(
        metadata=SimpleNamespace(
            name="p", namespace="n", deletion_timestamp="now" if leaving else None
        ),
        spec=SimpleNamespace(node_name=node),
        status=SimpleNamespace(phase=phase, container_statuses=list(statuses) or None),
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (pod(status(1000)), ""),  # in the second in which its node was started
        (pod(status(999)), "pod n/p: c was not started again"),
        (pod(status(1500), node=WORKER), "pod n/p: c was not started again"),
        (pod(status(3000), status(3000, ready=False)), "pod n/p: c is not ready"),
        (pod(status(3000, running=False)), "pod n/p: c is not ready"),
        (pod(), "pod n/p has not been started"),
        (pod(status(3000), leaving=True), "pod n/p is being removed"),
        (pod(status(0), phase="Succeeded"), ""),
    ],
)
def test_pods_are_back_when_they_were_started_after_their_node(one: Any, said: str) -> None:
    assert not_back([one], BEGUN) == said


class Given:
    """The addresses of a cluster's Services."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def adopt(self) -> None:
        self.done.append("adopted")

    def restore(self) -> None:
        self.done.append("restored")


class World:
    """A kept lab of one cluster on ``engine``, as far as ``put_back`` looks at it."""

    def __init__(self, engine: Machine, *, router_as_left: bool = True) -> None:
        self.engine, self.given = engine, Given()
        self.on_nodes: list[tuple[str, ...]] = []
        self.renewed: list[str] = []
        cluster = SimpleNamespace(
            name="east", nodes=(), core=SimpleNamespace(), on_node=self._on_node
        )
        cluster.core.delete_collection_namespaced_pod = lambda *_, **selected: self.renewed.append(
            selected["label_selector"]
        )
        made = SimpleNamespace(
            id="0a1b2c3d",
            engine=engine,
            recorder=Recorder(),
            router=SimpleNamespace(adopt=lambda: router_as_left),
            clusters={"east": cluster},
            addresses={"east": self.given},
            networks={"east": "mp-0a1b2c3d-east"},
            subnets={"east": None},
            machines={},
        )
        self.lab = cast(Lab, made)

    def _on_node(self, node: object, *argv: str, **_: Any) -> None:
        self.on_nodes.append(argv)

    @property
    def done(self) -> list[tuple[str, ...]]:
        return self.engine.done


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """API servers answer; the function given lets them refuse, with words."""
    monkeypatch.setattr(restart, "refusal", lambda cluster: "")

    def refuse(words: str) -> None:
        monkeypatch.setattr(restart, "refusal", lambda cluster: words)
        monkeypatch.setattr(restart, "_WITHIN", 0.1)

    return refuse


def about(**changes: Any) -> Description:
    noted = {name: str(address) for name, address in NODES.items()}
    nodes = {"nodes": {"east": noted}, **changes}
    return Description("0a1b2c3d", "podman", 1.0, 1, "1.36.3", {}, {}, "image", **nodes)


def test_a_machine_astray_is_started_at_the_address_that_it_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, done = World(machine()), list[tuple[str, str, str]]()
    shop, till = (SimpleNamespace(name=name) for name in ("shop", "till"))
    vars(world.lab)["machines"] = {"shop": shop, "till": till}
    monkeypatch.setattr(restart, "astray", lambda one, _: one is till)
    monkeypatch.setattr(
        restart, "revive", lambda one, *where: done.append((one.name, *map(str, where)))
    )
    sites = {"shop": "east", "till": "east"}
    told = about(machines={"shop": "172.30.0.8", "till": "172.30.0.9"}, sites=sites)
    assert put_back(world.lab, told) == []
    assert done == [("till", "mp-0a1b2c3d-east", "172.30.0.9")]


def test_a_lab_that_is_as_it_was_left_is_not_touched() -> None:
    world = World(machine())
    assert put_back(world.lab, about()) == []
    assert world.done == []
    assert world.given.done == ["adopted", "restored"]


def test_nodes_astray_get_their_addresses_back_before_they_are_started() -> None:
    world = World(machine(at={CONTROL: "172.30.0.5", WORKER: "172.30.0.3"}))
    assert put_back(world.lab, about()) == ["east"]
    net, off = "mp-0a1b2c3d-east", ("network", "disconnect", "-f")
    assert world.done == [
        ("stop", "-t", "10", CONTROL, WORKER),
        (*off, net, CONTROL),
        (*off, net, WORKER),
        ("network", "connect", "--ip", "172.30.0.3", net, CONTROL),
        ("network", "connect", "--ip", "172.30.0.2", net, WORKER),
        ("start", CONTROL, WORKER),
        ("names", CONTROL),
        ("names", WORKER),
    ]
    assert world.renewed == ["k8s-app=kube-proxy"]
    assert world.given.done == ["adopted", "restored"]


def test_nodes_without_rules_are_not_started_again() -> None:
    world = World(machine(wired=[]))
    assert put_back(world.lab, about()) == ["east"]
    assert world.done == [("names", CONTROL), ("names", WORKER)]


def test_a_router_that_was_started_again_has_all_clusters_wired_anew() -> None:
    world = World(machine(), router_as_left=False)
    assert put_back(world.lab, about()) == ["east"]
    assert world.given.done == ["adopted", "restored"]


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(LabError) as raised:
        act()
    told = str(raised.value)
    assert "\n" not in told
    assert told.endswith("remove it with 'meshproof down 0a1b2c3d'.")
    return told


def test_what_does_not_come_back_is_one_sentence(api: Callable[[str], None]) -> None:
    gone = World(machine(at={CONTROL: "172.30.0.3"}))
    assert f"does not come back: container {WORKER} is gone" in refusal(
        lambda: put_back(gone.lab, about())
    )
    engine = machine(running=[])
    engine.refuses = "connect"
    assert "address is taken" in refusal(lambda: put_back(World(engine).lab, about()))
    assert "older meshproof" in refusal(lambda: put_back(World(machine()).lab, about(nodes={})))
    api("connection refused")
    world = World(machine(running=[]))
    told = refusal(lambda: put_back(world.lab, about()))
    assert "the API server of east did not come about" in told
    assert "connection refused" in told
    told = refusal(lambda: await_return(World(machine()).lab, ["east"]))
    assert "the return of cluster east did not come about" in told


def test_what_was_called_off_is_no_lab_that_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cancelled(*_: object) -> Nodes:
        raise CancelledError("the run was called off")

    monkeypatch.setattr(restart, "how_found", cancelled)
    with pytest.raises(CancelledError):
        put_back(World(machine()).lab, about())


def test_a_lab_that_is_as_it_was_left_is_not_waited_for() -> None:
    await_return(World(machine()).lab, [])
