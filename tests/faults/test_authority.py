"""Authorities are replaced, and roots rotated stage by stage, and put back in the same steps."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509

from meshproof.errors import EvidenceError, LabError, WaitTimeoutError
from meshproof.faults import authority as module
from meshproof.faults.authority import (
    Trust,
    amiss,
    awaited,
    installed,
    intermediates_replaced,
    rotation,
    trust_restored,
)
from meshproof.mesh.trust import Authority
from meshproof.workloads.sample import Sample
from tests.stand_ins import workload

ROOT = Authority.root("the root")
PLANES = ("east", "west")


class Core:
    """The secret of one cluster, and what it said in turn."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self.said, self.refuses = [dict(said)], False

    def read_namespaced_secret(self, name: str, _: str) -> Any:
        assert name == "cacerts"
        told = {key: base64.b64encode(text.encode()) for key, text in self.said[-1].items()}
        return SimpleNamespace(data=told)

    def patch_namespaced_secret(self, _: str, __: str, body: Any) -> None:
        if self.refuses:
            raise LabError("refused")
        self.said.append(body["stringData"])


class World:
    """Two control planes below one root, whose istiods and proxies follow, or do not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Authority = ROOT) -> None:
        own = {name: ROOT.intermediate(f"meshproof {name}").cacerts() for name in PLANES}
        self.cores = {name: Core(said) for name, said in own.items()}
        self.dirty: list[str] = []
        self.looked: list[str] = []
        self.interrupts = False
        self.stale: dict[str, str] = {}
        """What is left behind at one of the places that are looked at, by its name."""
        members = [SimpleNamespace(name=one, primary=one, gateway=None) for one in PLANES]
        by_name = {one.name: one for one in members}
        topology = SimpleNamespace(
            control_planes=members, members=members, __getitem__=None, workloads=PLANES
        )
        self.mesh = SimpleNamespace(
            deployment=SimpleNamespace(topology=_Named(topology, by_name), root_of=lambda _: "r"),
            cluster=lambda name: SimpleNamespace(name=name, core=self.cores[name]),
            roots={"r": root},
            mark_dirty=self.dirty.append,
            shell=None,
        )
        self.sample = Sample(cast(Any, self.mesh))
        for name in PLANES:
            self.sample.replace_caller(workload("sleep", name))
        self._replace(monkeypatch)

    def now(self, cluster: str) -> Mapping[str, str]:
        return self.cores[cluster].said[-1]

    def roots(self, cluster: str, place: str) -> tuple[x509.Certificate, ...]:
        text = self.stale.get(place) or self.now(cluster)["root-cert.pem"]
        return tuple(x509.load_pem_x509_certificates(text.encode()))

    def shown(self, cluster: str, place: str) -> tuple[x509.Certificate, ...]:
        """A certificate by the authority that is there now."""
        text = self.stale.get(place) or self.now(cluster)["ca-cert.pem"]
        issuer = x509.load_pem_x509_certificate(text.encode())
        return (cast(Any, SimpleNamespace(issuer=issuer.subject, by=issuer)),)

    def _replace(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def pem(one: Any, kind: str, _: object, key: str) -> str:
            place = "mounted" if kind == "configmap" else "files"
            return str(self.stale.get(place) or self.now(one.cluster)[key])

        def look_again(one: Any) -> None:
            self.looked.append(one.name)
            if self.interrupts:
                raise KeyboardInterrupt

        replaced: dict[str, Any] = {
            "mounted": pem,
            "look_again": look_again,
            "istiod_of": lambda _, plane: workload("istiod", plane),
            "node_probe": lambda cluster: cluster,
            "ask": lambda asker, *_, **__: SimpleNamespace(chain=self.shown(asker.name, "istiod")),
            "trusted_roots": lambda one: self.roots(one.cluster, "trusted"),
            "shown_chain": lambda one: self.shown(one.cluster, "shown"),
            "signed": lambda one, by: one.by == by,
            "side_by_side": lambda _, do, many: [do(one) for one in many],
            "WITHIN": 0.2,
            "_BROUGHT_WITHIN": 0.05,
            "_EVERY": 0.01,
        }
        for name, value in replaced.items():
            monkeypatch.setattr(module, name, value)
        monkeypatch.setattr(Sample, "servers", lambda _: {})


class _Named:
    """A topology in which members are found by name."""

    def __init__(self, told: Any, members: Mapping[str, Any]) -> None:
        self._told, self._members = told, members

    def __getattr__(self, name: str) -> Any:
        return getattr(self._told, name)

    def __getitem__(self, name: str) -> Any:
        return self._members[name]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def signers(stage: Trust) -> list[str]:
    return [stage.signer(plane).subject.rfc4514_string().partition(",")[0] for plane in PLANES]


def test_a_rotation_goes_by_way_of_both_roots(world: World) -> None:
    old, both, turned, new = rotation(cast(Any, world.mesh))
    assert [len(one.roots("east")) for one in (old, both, turned, new)] == [1, 2, 2, 1]
    assert old.roots("east") < both.roots("east") == turned.roots("east") > new.roots("east")
    assert old.roots("east") != new.roots("east")
    bundles = [one.cacerts["east"]["root-cert.pem"] for one in (both, turned)]
    assert bundles[0] != bundles[1], "agents are told again, and renew their certificates"
    assert signers(old) == signers(both) == ["CN=meshproof east", "CN=meshproof west"]
    assert signers(turned) == signers(new) == ["CN=meshproof east anew", "CN=meshproof west anew"]


def test_a_rotation_is_put_back_stage_by_stage(world: World) -> None:
    stages = rotation(cast(Any, world.mesh))
    with trust_restored(world.sample, stages) as begin:
        for number in (1, 2, 3):
            begin(number)
            assert awaited(world.sample, stages[number], within=0.05) == ""
    for plane, core in world.cores.items():
        due = [stages[number].cacerts[plane] for number in (0, 1, 2, 3, 2, 1, 0)]
        assert core.said == due
    assert world.dirty == []


def test_a_rotation_that_got_stuck_is_put_back_from_there(world: World) -> None:
    stages = rotation(cast(Any, world.mesh))
    with trust_restored(world.sample, stages) as begin:
        world.stale["trusted"] = stages[0].cacerts["east"]["root-cert.pem"]
        begin(1)
        assert "trusts other roots" in awaited(world.sample, stages[1], within=0.05)
    assert [len(core.said) for core in world.cores.values()] == [3, 3]
    assert world.dirty == []


def test_a_stage_begins_when_istiods_have_their_files(world: World) -> None:
    stages = rotation(cast(Any, world.mesh))
    late = pytest.raises(WaitTimeoutError, match="in the files of istiod in east")
    with late, trust_restored(world.sample, stages) as begin:
        world.stale["files"] = stages[0].cacerts["east"]["root-cert.pem"]
        begin(1)
    assert set(world.looked) == {"istiod"}, "kubelet is made to look"


def test_who_could_not_look_has_seen_nothing_amiss(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(_: object) -> None:
        raise EvidenceError("no proxy answers")

    stages = rotation(cast(Any, world.mesh))
    with trust_restored(world.sample, stages) as begin:
        begin(1)
        with monkeypatch.context() as patched:
            patched.setattr(module, "trusted_roots", deaf)
            with pytest.raises(EvidenceError, match="nobody can tell whether the new root is"):
                awaited(world.sample, stages[1], within=0.05)
        assert awaited(world.sample, stages[1], within=0.05) == ""


def test_a_way_back_that_is_interrupted_marks_the_mesh(world: World) -> None:
    stages = rotation(cast(Any, world.mesh))
    with pytest.raises(KeyboardInterrupt), trust_restored(world.sample, stages) as begin:
        begin(1)
        world.stale["mounted"] = stages[3].cacerts["east"]["root-cert.pem"]
        world.interrupts = True
    assert world.dirty == ["its authorities are not what they were: interrupted on the way"]


def test_a_mesh_that_does_not_come_back_is_marked(world: World) -> None:
    stages = rotation(cast(Any, world.mesh))
    with pytest.raises(EvidenceError), trust_restored(world.sample, stages) as begin:
        begin(1)
        world.stale["mounted"] = stages[3].cacerts["east"]["root-cert.pem"]
    (told,) = world.dirty
    assert told.startswith("its authorities are not what they were: the old root alone is trusted")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("mounted", "knows its istiod by other roots"),
        ("trusted", "trusts other roots"),
        ("shown", "has a certificate by another"),
    ],
)
def test_what_has_not_followed_is_named(world: World, place: str, said: str) -> None:
    _, _, turned, new = rotation(cast(Any, world.mesh))
    for plane, core in world.cores.items():
        core.said.append(dict(new.cacerts[plane]))
    assert amiss(world.sample, new) == ""
    key = "ca-cert.pem" if place == "shown" else "root-cert.pem"
    stale = world.cores["east"].said[0] if place == "shown" else turned.cacerts["east"]
    world.stale[place] = stale[key]
    assert said in amiss(world.sample, new)


def test_authorities_are_replaced_below_the_same_root_and_put_back(world: World) -> None:
    before = installed(cast(Any, world.mesh))
    with intermediates_replaced(cast(Any, world.mesh)) as new:
        inside = installed(cast(Any, world.mesh))
        names = [one.subject.rfc4514_string().partition(",")[0] for one in new.values()]
    assert names == ["CN=meshproof east anew", "CN=meshproof west anew"]
    assert all(inside[one]["root-cert.pem"] == ROOT.pem for one in PLANES)
    assert all(inside[one]["ca-cert.pem"] != before[one]["ca-cert.pem"] for one in PLANES)
    assert installed(cast(Any, world.mesh)) == before
    assert world.dirty == []


def test_authorities_that_cannot_be_put_back_mark_the_mesh(world: World) -> None:
    with pytest.raises(LabError), intermediates_replaced(cast(Any, world.mesh)):
        world.cores["west"].refuses = True
    assert world.dirty == ["its authorities are not what they were: refused"]


def test_a_root_without_its_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Authority.root("another run's"))
    with (
        pytest.raises(EvidenceError, match="made by another run"),
        intermediates_replaced(cast(Any, world.mesh)),
    ):
        pass
    assert world.dirty == [] and all(len(core.said) == 1 for core in world.cores.values())
