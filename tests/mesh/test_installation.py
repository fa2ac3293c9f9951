"""The installation plan: what each cluster gets, in which order, and who is introduced to whom."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.artifacts import Bundle
from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.files import topology_named
from meshproof.kube import RunningCluster
from meshproof.lab import Lab
from meshproof.mesh import direct, installation
from meshproof.mesh.installation import install_mesh
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment, Version

VERSION = Version(1, 31, 1)


class Addresses:
    """A lab's addresses, of which it is noted who gets one."""

    def __init__(self, done: list[tuple[str, str]], cluster: str, number: int) -> None:
        self.done, self.cluster, self.number = done, cluster, number

    def reserve(self, namespace: str, service: str) -> IPv4Address:
        return IPv4Address(f"172.30.{self.number}.200")

    def give(self, namespace: str, service: str) -> IPv4Address:
        self.done.append((self.cluster, f"address of {service}"))
        return self.reserve(namespace, service)

    def give_by_name(self, namespace: str, service: str) -> str:
        self.done.append((self.cluster, f"name of {service}"))
        return ""


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is done in which cluster, in order."""
    noted: list[tuple[str, str]] = []

    def install(_: Istioctl, cluster: RunningCluster, version: Version, name: str, __: Any) -> None:
        assert version == VERSION
        noted.append((cluster.name, f"install {name}"))

    def secret(kind: str) -> Any:
        def made(_: Istioctl, cluster: RunningCluster, *__: object) -> dict[str, Any]:
            return {"kind": "Secret", "metadata": {"name": f"{kind} of {cluster.name}"}}

        return made

    def apply(cluster: RunningCluster, objects: list[Any]) -> None:
        noted.extend((cluster.name, f"{one['kind']} {one['metadata']['name']}") for one in objects)

    monkeypatch.setattr(Istioctl, "install", install)
    monkeypatch.setattr(Istioctl, "remote_secret", secret("remote secret"))
    monkeypatch.setattr(Istioctl, "config_secret", secret("config secret"))
    for module in (installation, direct):
        monkeypatch.setattr(module, "apply", apply)
    monkeypatch.setattr(
        installation, "eventually", lambda *_, what, **__: noted.append(("", f"await {what}"))
    )
    return noted


def mesh(name: str, done: list[tuple[str, str]]) -> Mesh:
    """A mesh whose clusters are names."""
    topology = topology_named(name)
    deployment = Deployment(topology, dict.fromkeys(topology.names, VERSION), Version(1, 36, 3))
    clusters = {
        one: SimpleNamespace(name=one, nodes=[SimpleNamespace(container=f"{one}-node")])
        for one in topology.names
    }
    addresses = {one: Addresses(done, one, number) for number, one in enumerate(clusters, 1)}
    lab: Any = SimpleNamespace(recorder=Recorder(), clusters=clusters, addresses=addresses)
    bundle: Any = SimpleNamespace(
        images={"pilot:1.31.1": "localhost/meshproof/pilot:1.31.1"},
        filters_off={VERSION: ()},
        istioctl={},
    )
    return Mesh(cast(Lab, lab), deployment, cast(Bundle, bundle), Path("nowhere"), {})


def in_order(done: list[tuple[str, str]], *steps: tuple[str, str]) -> None:
    """Whether these steps were taken one after the other."""
    places = [done.index(one) for one in steps]
    assert places == sorted(places), done


def test_a_primary_gets_istiod_then_its_gateway(done: list[tuple[str, str]]) -> None:
    install_mesh(mesh("multi-primary-split-horizon", done))
    for name in ("east", "west"):
        in_order(
            done,
            (name, "Secret cacerts"),
            (name, "install primary"),
            (name, "PeerAuthentication default"),
            (name, "install gateway"),
            (name, "address of istio-eastwestgateway"),
        )
    in_order(done, ("east", "install primary"), ("west", "Secret remote secret of east"))
    in_order(done, ("west", "install primary"), ("east", "Secret remote secret of west"))


def test_a_remote_is_introduced_before_it_is_waited_for(done: list[tuple[str, str]]) -> None:
    install_mesh(mesh("primary-remote-split-horizon", done))
    in_order(
        done,
        ("west", "install remote"),
        ("east", "Secret remote secret of west"),
        ("", "await east's istiod in west"),
        ("west", "install gateway"),
    )
    assert ("west", "install primary") not in done
    assert ("west", "Secret remote secret of east") not in done


def test_a_gateway_is_announced_by_a_host_name_where_the_topology_says_so(
    done: list[tuple[str, str]],
) -> None:
    install_mesh(mesh("hostname-gateways", done))
    for name in ("east", "west"):
        in_order(done, (name, "install gateway"), (name, "name of istio-eastwestgateway"))


def test_without_gateways_none_is_installed(done: list[tuple[str, str]]) -> None:
    install_mesh(mesh("primary-remote-flat", done))
    assert not [one for one in done if "gateway" in one[1]]


def test_an_istiod_outside_has_its_config_clusters_account_first(
    done: list[tuple[str, str]],
) -> None:
    plan = mesh("external-control-plane", done)
    outside = plan.deployment.topology.externals[0].name
    config = plan.deployment.topology.served_by(outside)[0].name
    install_mesh(plan)
    in_order(
        done,
        (config, "install remote"),
        (outside, f"Secret config secret of {config}"),
        (outside, "install external"),
        ("", f"await {outside}'s istiod in {config}"),
    )
    assert done.count((config, "install remote")) == 1


def test_a_track_that_fails_is_the_error(
    done: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Istioctl, cluster: RunningCluster, *__: object) -> None:
        raise LabError(f"Istio was not installed in {cluster.name}")

    monkeypatch.setattr(Istioctl, "install", refuse)
    with pytest.raises(LabError, match="Istio was not installed in"):
        install_mesh(mesh("multi-primary-split-horizon", done))
    assert not [one for one in done if one[1].startswith("address of")]
