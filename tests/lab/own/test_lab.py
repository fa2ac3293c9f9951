"""The lab of somebody's clusters: locked, probed, left; and nothing of it where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import LabError, UsageError
from meshproof.events import Event, Recorder
from meshproof.kube.foreign import LAB_LABEL, OWN_NAMESPACE
from meshproof.lab.own import lab as module
from meshproof.lab.own.lab import KubeconfigLab
from meshproof.lab.own.network import Probed, Reach
from meshproof.lab.ownership import Claim, claims
from meshproof.lab.sweep import is_in_own_clusters
from meshproof.mesh.inventory import Inventory, Thing
from meshproof.model import Capability, Cluster, Footprint, Version, Wiring, isolated
from meshproof.model.own_cluster import OwnCluster, OwnClusters
from meshproof.run.leaving import leave
from tests.lab.own.api import TOKEN, Answer, Recorded, namespace, plain, served, write_kubeconfig
from tests.lab.own.test_foreign import CORE

NAMES = ("east", "west")
LOCK = f"/api/v1/namespaces/{OWN_NAMESPACE}"


@dataclass
class Theirs:
    """A cluster of somebody's, which remembers our lock. ``held``: whose it is."""

    pods: str
    uid: str
    held: dict[str, Any] | None = None
    recorded: Recorded = field(default_factory=Recorded)

    def __post_init__(self) -> None:
        self.recorded.answers = {
            **CORE,
            **plain(self.uid, self.pods),
            "POST /api/v1/namespaces": self._made,
            f"GET {LOCK}": lambda _: self.held or (404, {"message": "not found"}),
            f"DELETE {LOCK}": self._gone,
        }

    def _made(self, body: Any) -> Answer:
        if self.held is not None:
            return 409, {"message": "already exists"}
        self.held = {**namespace(OWN_NAMESPACE), "metadata": body["metadata"]}
        return 201, self.held

    def _gone(self, _: object) -> Answer:
        self.held = None
        return {"apiVersion": "v1", "kind": "Status"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where labs are noted."""
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def theirs(state: Path) -> Iterator[dict[str, Theirs]]:
    with ExitStack() as stack:
        found = {
            name: Theirs(f"10.{number}.0.0/16", f"uid-{name}")
            for number, name in enumerate(NAMES, 244)
        }
        for one in found.values():
            stack.enter_context(served(one.recorded))
        yield found


def given(theirs: dict[str, Theirs], folder: Path, *, agreed: bool = True) -> OwnClusters:
    own: list[OwnCluster] = []
    for name, one in theirs.items():
        path = write_kubeconfig(folder / f"{name}.yaml", {"theirs": one.recorded.url})
        services = IPv4Network(f"10.9{len(own)}.0.0/16")
        own.append(OwnCluster(name, path, "theirs", one.recorded.url, services=services))
    return OwnClusters(tuple(own), consented=agreed)


def asked() -> Footprint:
    """As topologies say: addresses that differ."""
    clusters = [
        Cluster(name, IPv4Network(f"10.{n}0.0.0/16"), IPv4Network(f"10.{n}1.0.0/16"), "")
        for n, name in enumerate(NAMES, 1)
    ]
    return Footprint(tuple(clusters), Version(1, 33, 4))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What probes find: two networks, whose gateways and API servers are reached."""
    own = IPv4Address("10.244.0.5")
    pairs = [("east", "west"), ("west", "east")]
    reach = Reach(own, "", gateway=True, api=True)
    world = SimpleNamespace(found=Probed(dict.fromkeys(pairs, reach)))
    monkeypatch.setattr(module, "deploy_probe", lambda cluster: cluster.name)
    monkeypatch.setattr(module, "probe_network", lambda *_: world.found)
    return world


def create(
    theirs: dict[str, Theirs], folder: Path, events: list[Event], wiring: Wiring | None = None
) -> KubeconfigLab:
    recorder = Recorder(listeners=[events.append])
    clusters = given(theirs, folder)
    return KubeconfigLab.create(clusters, asked(), wiring or isolated(), recorder)


def test_it_is_locked_while_it_is_used_and_nothing_is_left_at_the_end(
    theirs: dict[str, Theirs], tmp_path: Path, network: SimpleNamespace
) -> None:
    events: list[Event] = []
    with create(theirs, tmp_path, events) as lab:
        assert lab.shared and Capability.ROUTER not in lab.capabilities
        assert lab.is_made_of(asked())
        assert str(lab.footprint["west"].pods) == "10.245.0.0/16"
        for one in theirs.values():
            assert one.held is not None
            assert one.held["metadata"]["labels"] == {LAB_LABEL: lab.id}
        about = lab.claim.read()
        assert about is not None and about.own["east"]["uid"] == "uid-east"
        noted = (lab.claim.folder / "lab.json").read_text()
        assert TOKEN not in noted
        with pytest.raises(LabError, match="it needs a lab whose router counts"):
            _ = lab.router
        with pytest.raises(LabError, match="it needs a lab on whose nodes"):
            _ = lab.engine
    assert [one.held for one in theirs.values()] == [None, None]
    assert list(claims()) == []
    told = [event.data["text"] for event in events if event.kind == "notice"]
    found = "east reaches of west not its pods, its gateways, its API server"
    assert any(found in one for one in told)
    assert TOKEN not in repr([event.data for event in events])


def test_what_others_hold_is_not_taken_and_the_first_lock_given_back(
    theirs: dict[str, Theirs], tmp_path: Path, network: SimpleNamespace
) -> None:
    labels = {LAB_LABEL: "deadbeef"}
    theirs["west"].held = namespace(OWN_NAMESPACE, labels=labels)
    with pytest.raises(LabError, match="cluster west is used by lab deadbeef"):
        create(theirs, tmp_path, [])
    assert theirs["east"].held is None
    assert theirs["west"].held is not None
    assert list(claims()) == []


def test_a_network_that_is_not_as_said_ends_it_and_nothing_is_left(
    theirs: dict[str, Theirs], tmp_path: Path, network: SimpleNamespace
) -> None:
    reach = Reach(IPv4Address("10.244.0.5"), "", gateway=False, api=True)
    network.found = Probed({("east", "west"): reach})
    with pytest.raises(LabError, match="do not reach the load balancer of west"):
        create(theirs, tmp_path, [])
    assert [one.held for one in theirs.values()] == [None, None]
    assert list(claims()) == []


def test_nobody_has_agreed(theirs: dict[str, Theirs], tmp_path: Path) -> None:
    clusters = given(theirs, tmp_path, agreed=False)
    with pytest.raises(UsageError, match="add '--yes east,west'"):
        KubeconfigLab.create(clusters, asked(), isolated(), Recorder())
    assert all(one.recorded.asked == [] for one in theirs.values())


def killed(theirs: dict[str, Theirs], folder: Path) -> Claim:
    """What a run leaves that is killed."""
    lab = create(theirs, folder, [])
    lab.claim.release()
    return Claim(lab.id)


@dataclass
class Removal:
    """What is left in each cluster, and what of it was to stay when a mesh was removed."""

    found: frozenset[Thing]
    stays: dict[str, frozenset[Thing]] = field(default_factory=dict)

    def remove(self, _lab: object, before: dict[str, Inventory], _shell: object) -> None:
        self.stays = {name: one.things for name, one in before.items()}


LOCKS = frozenset(
    {
        Thing("", "Namespace", "", OWN_NAMESPACE, lab="x"),
        Thing("", "Pod", OWN_NAMESPACE, "probe"),
    }
)


@pytest.fixture
def removal(monkeypatch: pytest.MonkeyPatch) -> Removal:
    made = Removal(LOCKS | {Thing("", "Namespace", "", "istio-system", lab="x")})
    monkeypatch.setattr("meshproof.run.leaving.take_inventory", lambda _: Inventory(made.found))
    monkeypatch.setattr("meshproof.run.leaving.remove_mesh", made.remove)
    return made


def test_a_run_that_was_killed_is_put_right_by_its_folder_and_the_lock_goes_last(
    theirs: dict[str, Theirs], tmp_path: Path, network: SimpleNamespace, removal: Removal
) -> None:
    claim = killed(theirs, tmp_path)
    about = claim.read()
    assert about is not None and is_in_own_clusters(about)
    leave(claim, about, Recorder())
    assert removal.stays == dict.fromkeys(NAMES, LOCKS)
    assert [one.held for one in theirs.values()] == [None, None]
    assert list(claims()) == []


@pytest.mark.parametrize("holder", [None, "deadbeef"])
def test_nothing_is_removed_where_the_lock_is_not_ours_any_more(
    theirs: dict[str, Theirs],
    tmp_path: Path,
    network: SimpleNamespace,
    removal: Removal,
    holder: str | None,
) -> None:
    claim = killed(theirs, tmp_path)
    about = claim.read()
    assert about is not None
    others = namespace(OWN_NAMESPACE, labels={LAB_LABEL: holder}) if holder else None
    theirs["west"].held = others
    events: list[Event] = []
    leave(claim, about, Recorder(listeners=[events.append]))
    assert list(removal.stays) == ["east"]
    assert [one.held for one in theirs.values()] == [None, others]
    told = [event.data["text"] for event in events if event.kind == "notice"]
    assert told == [f"cluster west is not locked by lab {claim.id} any more, and is left as it is"]
    assert list(claims()) == []


def test_an_istio_in_a_namespace_that_is_not_ours_is_left(
    theirs: dict[str, Theirs], tmp_path: Path, network: SimpleNamespace, removal: Removal
) -> None:
    claim = killed(theirs, tmp_path)
    about = claim.read()
    assert about is not None
    system = "GET /api/v1/namespaces/istio-system"
    theirs["west"].recorded.answers[system] = namespace("istio-system")
    ours = namespace("istio-system", labels={LAB_LABEL: claim.id})
    theirs["east"].recorded.answers[system] = ours
    events: list[Event] = []
    lab = KubeconfigLab.left_by(claim, about, Recorder(listeners=[events.append]))
    found = {name: one.foreign for name, one in lab.clusters.items()}
    claim.release()
    assert {name: one and one.has_our_istio for name, one in found.items()} == {
        "east": True,
        "west": False,
    }
    told = [event.data["text"] for event in events if event.kind == "notice"]
    assert told == [f"Istio in cluster west is not of lab {claim.id}, and is left as it is"]


def test_another_cluster_behind_that_context_is_left_alone(
    theirs: dict[str, Theirs], tmp_path: Path, network: SimpleNamespace
) -> None:
    claim = killed(theirs, tmp_path)
    about = claim.read()
    assert about is not None
    kube_system = "GET /api/v1/namespaces/kube-system"
    theirs["west"].recorded.answers[kube_system] = namespace("kube-system", "another")
    with pytest.raises(LabError, match="leads to another cluster than the run had"):
        leave(claim, about, Recorder())
    assert theirs["west"].held is not None
    assert claim.is_free
    with suppress(LabError):
        claim.forget()
