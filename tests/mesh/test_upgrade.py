"""An upgrade's own steps: what is installed, tagged and removed where, on every topology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.artifacts import Bundle
from meshproof.events import Recorder
from meshproof.files import topology_named, topology_names
from meshproof.kube import RunningCluster
from meshproof.lab import Lab
from meshproof.mesh import direct, installation, upgrade
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.manifests import istiod_by_gateway
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.upgrade import Upgrading
from meshproof.model import (
    REVISION,
    Deed,
    Deployment,
    Role,
    Strategy,
    Upgrade,
    Version,
    revision_of,
)

OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)
REMOTE, FLAT = "primary-remote-split-horizon", "primary-remote-flat"
ALL = [
    (name, strategy)
    for name in topology_names()
    for strategy in Strategy
    if strategy is Strategy.IN_PLACE or not topology_named(name).externals
]


@dataclass
class World:
    """Notes what is done, by cluster, in order. ``given``: the last document of each kind that
    istioctl was given in a cluster; ``applied``: the last object of each name; ``addresses``: the
    Services that have one; ``rolls``: whether an installation rolls a gateway out by itself."""

    done: list[tuple[str, str]] = field(default_factory=list)
    given: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    applied: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=dict)
    rolls: bool = False
    default: bool = True

    def note(self, cluster: str, what: str) -> None:
        self.done.append((cluster, what))

    def pods(self, cluster: str) -> set[str]:
        """The pods of a gateway: others after each installation that rolls it out."""
        count = sum(one == (cluster, "install gateway") for one in self.done)
        return {f"gateway-{count if self.rolls else 0}"}

    # --- in place of what reaches out

    def install(self, cluster: RunningCluster, version: Version, name: str, told: Any) -> None:
        self.note(cluster.name, f"install {name}")
        self.given[cluster.name, name] = {**told, "version": version}

    def tag(self, cluster: RunningCluster, version: Version, name: str, revision: str) -> None:
        assert revision == revision_of(version)
        self.note(cluster.name, f"tag {name} {revision}")

    def uninstall(self, cluster: RunningCluster, version: Version, revision: str = "") -> None:
        assert revision == revision_of(version)
        self.note(cluster.name, f"uninstall {revision}")

    def apply(self, cluster: RunningCluster, objects: list[Any]) -> None:
        for one in objects:
            self.applied[cluster.name, one["metadata"]["name"]] = one

    def delete(self, cluster: RunningCluster, objects: list[Any]) -> None:
        for one in objects:
            self.applied.pop((cluster.name, one["metadata"]["name"]), None)

    def pods_of(self, cluster: RunningCluster, _: str, name: str) -> set[str]:
        return self.pods(cluster.name) if name.endswith("gateway") else {"istiod"}

    def restart(self, cluster: RunningCluster, *_: object) -> None:
        self.note(cluster.name, "restart the gateway")

    def await_end_of(self, cluster: RunningCluster, _: str, name: str, __: object) -> None:
        self.note(cluster.name, f"end of {name}")


class Addresses:
    def __init__(self, world: World, cluster: str, number: int) -> None:
        self.world, self.cluster, self.number = world, cluster, number
        world.addresses[cluster] = set()

    def reserve(self, namespace: str, service: str) -> IPv4Address:
        return IPv4Address(f"172.30.{self.number}.{200 + len(service) % 50}")

    def give(self, namespace: str, service: str) -> IPv4Address:
        self.world.addresses[self.cluster].add(service)
        return self.reserve(namespace, service)

    def give_by_name(self, namespace: str, service: str) -> str:
        return str(self.give(namespace, service))

    def take_back(self, namespace: str, service: str) -> None:
        self.world.addresses[self.cluster].discard(service)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    for name in ("install", "tag", "uninstall"):
        own = getattr(made, name)
        monkeypatch.setattr(Istioctl, name, lambda _, *words, own=own: own(*words))
    monkeypatch.setattr(
        Istioctl,
        "config_secret",
        lambda _, __, ___, account: {
            "kind": "Secret",
            "metadata": {"name": "istio-kubeconfig"},
            "of": account,
        },
    )
    for module in (installation, direct):
        monkeypatch.setattr(module, "apply", made.apply)
    for name in ("apply", "delete", "pods_of", "restart", "await_end_of"):
        monkeypatch.setattr(upgrade, name, getattr(made, name))
    monkeypatch.setattr(upgrade, "_has_default", lambda _: made.default)
    monkeypatch.setattr(installation, "eventually", lambda *_, **__: None)
    monkeypatch.setattr(upgrade, "await_no_pods", lambda *_: None)
    return made


def mesh(name: str, world: World, strategy: Strategy, **how: Any) -> Mesh:
    """A mesh on its way, whose clusters are names."""
    topology, canary = topology_named(name), strategy is Strategy.CANARY
    deployment = Deployment(
        topology,
        dict.fromkeys(topology.names, OLD),
        Version(1, 36, 3),
        variants=frozenset({REVISION} if canary else ()),
        revision=revision_of(OLD) if canary else "",
        upgrade=Upgrade(NEW, strategy, **how),
    )
    clusters = {one: SimpleNamespace(name=one) for one in topology.names}
    addresses = {one: Addresses(world, one, number) for number, one in enumerate(clusters, 1)}
    lab: Any = SimpleNamespace(recorder=Recorder(), clusters=clusters, addresses=addresses)
    images = {f"pilot:{one}": f"localhost/meshproof/pilot:{one}" for one in (OLD, NEW)}
    bundle: Any = SimpleNamespace(images=images, filters_off={OLD: (), NEW: ()}, istioctl={})
    return Mesh(cast(Lab, lab), deployment, cast(Bundle, bundle), Path("nowhere"), {})


def all_the_way(one: Mesh) -> Iterator[Any]:
    """Each step of Istio's own, once it is taken."""
    course, upgrading = one.deployment.course, Upgrading(one)
    for before, stage in pairwise(course):
        assert stage.step is not None
        if stage.step.deed not in (Deed.WORKLOADS, Deed.MACHINES):
            upgrading.take(stage.step, before.state)
            yield stage


@pytest.mark.parametrize(("name", "strategy"), ALL)
def test_each_step_installs_its_version_in_its_cluster(
    name: str, strategy: Strategy, world: World
) -> None:
    one = mesh(name, world, strategy)
    topology, canary = one.deployment.topology, strategy is Strategy.CANARY
    kinds = {Role.PRIMARY: "primary", Role.EXTERNAL: "external", Role.REMOTE: "remote"}
    for stage in all_the_way(one):
        step = stage.step
        if step.deed in (Deed.CONTROL_PLANE, Deed.PROFILE, Deed.GATEWAY):
            kind = "gateway" if step.deed is Deed.GATEWAY else kinds[topology[step.cluster].role]
            told = world.given[step.cluster, kind]
            assert (told["version"], told["spec"]["tag"]) == (step.version, str(step.version))
            revision = revision_of(step.version) if canary else None
            assert told["spec"].get("revision") == revision
    done = [what for _, what in world.done]
    assert any(what.startswith("tag") for what in done) is canary
    assert any(what.startswith("uninstall") for what in done) is canary
    for member in topology.meshed:
        kind = kinds[member.role]
        assert world.given[member.name, kind]["version"] == NEW
        if member.gateway is not None:
            assert world.given[member.name, "gateway"]["version"] == NEW


def test_a_gateway_that_an_installation_leaves_is_restarted(world: World) -> None:
    for _ in all_the_way(mesh(REMOTE, world, Strategy.IN_PLACE)):
        pass
    assert world.done.count(("east", "restart the gateway")) == 1


def test_a_gateway_that_an_installation_rolls_out_is_not_restarted(world: World) -> None:
    world.rolls = True
    for _ in all_the_way(mesh(REMOTE, world, Strategy.IN_PLACE)):
        pass
    assert ("east", "restart the gateway") not in world.done
    assert ("east", "end of istio-eastwestgateway") in world.done


def ways(world: World, cluster: str = "east") -> list[tuple[str, str]]:
    """Whom the gateway leads on to which istiod, by the name that is asked for."""
    routes = world.applied[cluster, "istiod"]["spec"]["tls"]
    found = [
        (one["match"][0]["sniHosts"][0], one["route"][0]["destination"]["host"].partition(".")[0])
        for one in routes
    ]
    return list(dict.fromkeys(found))


def test_both_revisions_are_reached_through_the_gateway_while_both_are_there(world: World) -> None:
    old, new = f"istiod-{revision_of(OLD)}", f"istiod-{revision_of(NEW)}"
    seen: dict[str, list[tuple[str, str]]] = {}
    for stage in all_the_way(mesh(REMOTE, world, Strategy.CANARY, back_after=0)):
        if ("east", "istiod") in world.applied:
            seen[f"{stage.number} {stage.name}"] = ways(world)
    states = list(dict.fromkeys(map(tuple, seen.values())))
    both = ((f"{new}.istio-system.svc", new), ("*", old))
    back = ((f"{old}.istio-system.svc", old), ("*", new))
    assert states == [both, (("*", new),), back, (("*", old),)]


def test_whoever_asks_for_an_istiod_by_name_is_led_to_it_by_either_of_its_names() -> None:
    (_, service) = istiod_by_gateway("istiod-old", "istiod-new")
    asked = {
        (one["match"][0]["port"], name): one["route"][0]["destination"]
        for one in service["spec"]["tls"]
        for name in one["match"][0]["sniHosts"]
    }
    assert len(asked) == 6
    for short in ("istiod-new.istio-system.svc", "*"):
        host = f"istiod-{'old' if short == '*' else 'new'}.istio-system.svc.cluster.local"
        assert asked[15012, short] == {"host": host, "port": {"number": 15012}}
        assert asked[15017, short] == {"host": host, "port": {"number": 443}}
        if short != "*":
            assert all(asked[port, short] == asked[port, host] for port in (15012, 15017))


def test_each_revision_has_an_address_of_its_own_where_remotes_are_near(world: World) -> None:
    one = mesh(FLAT, world, Strategy.CANARY)
    old, new = f"istiod-internal-{revision_of(OLD)}", f"istiod-internal-{revision_of(NEW)}"
    world.addresses["east"].add(old)
    world.applied["east", old] = {}
    for stage in all_the_way(one):
        if stage.step.deed is Deed.PROFILE:
            assert world.addresses["east"] == {old, new}
            selector = world.applied["east", new]["spec"]["selector"]
            assert selector == {"app": "istiod", "istio.io/rev": revision_of(NEW)}
            values = world.given["west", "remote"]["spec"]["values"]
            due = one.lab.addresses["east"].reserve("istio-system", new)
            assert values["global"]["remotePilotAddress"] == str(due)
    assert world.addresses["east"] == {new}
    assert ("east", old) not in world.applied


def test_in_place_the_address_stays(world: World) -> None:
    for _ in all_the_way(mesh(FLAT, world, Strategy.IN_PLACE)):
        pass
    assert world.addresses["east"] == {"istiod-internal"}
    assert world.applied["east", "istiod-internal"]["spec"]["selector"] == {"app": "istiod"}


def test_an_external_istiod_goes_with_its_config_cluster(world: World) -> None:
    one = mesh("external-control-plane", world, Strategy.IN_PLACE)
    for stage in all_the_way(one):
        if stage.step.deed is Deed.CONTROL_PLANE:
            break
    assert world.applied["control", "istio-kubeconfig"]["of"] == "istiod"
    assert world.given["east", "remote"]["version"] == NEW
    assert world.given["control", "external"]["version"] == NEW


@pytest.mark.parametrize("default", [True, False])
def test_the_default_tag_is_moved_where_there_is_one(world: World, default: bool) -> None:
    world.default = default
    for _ in all_the_way(mesh(REMOTE, world, Strategy.CANARY)):
        pass
    tags = [what for where, what in world.done if where == "east" and what.startswith("tag")]
    rest = [f"tag {name}" for name in (["stable", "default"] if default else ["stable"])]
    due = [f"{one} {revision_of(version)}" for version in (OLD, NEW) for one in rest]
    assert tags == due


def test_workloads_are_none_of_its_steps(world: World) -> None:
    one = mesh(REMOTE, world, Strategy.IN_PLACE)
    last = one.deployment.course[-1]
    assert last.step is not None
    with pytest.raises(ValueError, match="is none of Istio's steps"):
        Upgrading(one).take(last.step, last.state)
