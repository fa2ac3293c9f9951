"""Machines join by the files that istioctl writes, and nothing of Istio is left when they leave."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.artifacts import Package
from meshproof.engine import Engine
from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.files import read_topology, topology_named
from meshproof.lab.machine import RunningMachine
from meshproof.mesh import istioctl as module
from meshproof.mesh import machines
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.machine_setup import (
    TOKEN,
    clear_machine,
    install_package,
    place_files,
)
from meshproof.mesh.machines import connected, entries_there, entry_name
from meshproof.mesh.mesh import Mesh
from meshproof.process import Finished
from meshproof.workloads.machine import serve
from meshproof.workloads.sample import joining_of
from tests.mesh.test_blueprint import beside, blueprint
from tests.mesh.test_istioctl import EAST, NEW, Shells

GROUP = (
    "apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: {name: shop}\nspec: {}\n"
)
FILES = {
    "cluster.env": "A=b\n",
    "mesh.yaml": "defaultConfig: {}\n",
    "root-cert.pem": "PEM\n",
    "istio-token": "secret\n",
    "hosts": "172.30.0.200 istiod.istio-system.svc\n",
}


class Machine:
    """A machine's engine. ``left``: what is found on it of Istio."""

    def __init__(self, left: str = "") -> None:
        self.left = left
        self.ran: list[tuple[str, str]] = []
        self.copied: list[str] = []

    def exec(self, container: str, argv: Sequence[str], **options: Any) -> Finished:
        text = options.get("input") or ""
        self.ran.append((" ".join(argv), text))
        said = self.left if "pgrep" in text else ""
        return Finished(tuple(argv), 0, said, "", 0.0)

    def copy_in(self, source: Path, container: str, target: str) -> None:
        self.copied.append(target)

    @property
    def all(self) -> str:
        return "\n".join(f"{argv}\n{text}" for argv, text in self.ran)


def running(engine: Machine) -> RunningMachine:
    return RunningMachine("shop", "mp-0-shop-machine", cast(Engine, engine))


def test_the_package_is_put_where_its_own_puts_it() -> None:
    engine = Machine()
    package = Package(Path("/i"), Path("/e/envoy"), Path("/p"))
    install_package(running(engine), package)
    assert engine.copied == list(package.files)
    assert "useradd --system --uid 1337" in engine.all
    assert "chmod 0755 /usr/local/bin/pilot-agent" in engine.all
    assert "chmod 0644 /lib/systemd/system/istio.service" in engine.all


@pytest.mark.parametrize("revision", ["", "1-31-1"])
def test_another_package_is_put_there_while_the_unit_is_stopped(
    monkeypatch: pytest.MonkeyPatch, revision: str
) -> None:
    engine = Machine()
    package = Package(Path("/i"), Path("/e/envoy"), Path("/p"))
    shop = topology_named("vm-expansion").machine("shop")
    mesh: Any = SimpleNamespace(
        lab=SimpleNamespace(
            machines={"shop": running(engine)},
            recorder=Recorder(),
            machine_artifacts=SimpleNamespace(packages={NEW: package}),
        )
    )
    files: list[str] = []

    def written(*told: Any) -> dict[str, str]:
        files.append(told[-1])
        return FILES

    for name, stand_in in {
        "workload_group": lambda *_: {},
        "written_files": written,
        "await_registered": lambda *_: engine.ran.append(("registered", "")),
    }.items():
        monkeypatch.setattr(machines, name, stand_in)
    machines.renew(mesh, shop, joining_of(shop), NEW, revision)
    texts = [text for _, text in engine.ran]
    assert texts[0] == "systemctl stop istio\n"
    assert engine.copied == list(package.files)
    assert texts[-2] == "systemctl start istio\n" and engine.ran[-1][0] == "registered"
    assert files == ([revision] if revision else [])


def test_files_are_placed_and_no_old_certificate_stays() -> None:
    engine = Machine()
    place_files(running(engine), FILES)
    assert engine.ran[0][1].startswith("rm -rf /etc/certs/*")
    written = {argv.split()[-1]: text for argv, text in engine.ran if "chmod" in argv}
    assert written[TOKEN] == "secret\n"
    assert written["/etc/certs/root-cert.pem"] == "PEM\n"
    assert written["/etc/istio/config/mesh"] == "defaultConfig: {}\n"
    assert written["/var/lib/istio/envoy/cluster.env"] == "A=b\n"
    assert any("/etc/hosts" in argv and text == FILES["hosts"] for argv, text in engine.ran)
    assert "chown -R istio-proxy:istio-proxy" in engine.ran[-1][1]


def test_what_is_left_on_a_machine_is_named() -> None:
    clear_machine(running(Machine()))
    with pytest.raises(LabError, match="on machine shop there is still 77 envoy, /etc/certs"):
        clear_machine(running(Machine("77 envoy\n/etc/certs\n")))


def test_a_machine_without_a_version_serves_nothing() -> None:
    engine = Machine()
    serve(running(engine), "")
    assert engine.ran == []
    serve(running(engine), "v3")
    assert "SERVICE_VERSION=v3" in engine.all


def test_a_group_is_what_istioctl_prints(tmp_path: Path) -> None:
    shell = Shells(GROUP)
    called = ("shop", "sample", "shop")
    group = Istioctl({NEW: Path("/bin/new")}, shell, tmp_path).workload_group(
        EAST, NEW, called, "net-east", {"app": "helloworld", "version": "v3"}
    )
    assert group["kind"] == "WorkloadGroup"
    words = " ".join(shell.ran[0])
    assert "x workload group create --name shop --namespace sample --serviceAccount shop" in words
    assert "--serviceAccount shop --network net-east --labels app" in words
    assert "--labels app=helloworld,version=v3 --kubeconfig /labs/east.yaml" in words
    with pytest.raises(LabError, match="no WorkloadGroup of shop"):
        Istioctl({NEW: Path("/bin/new")}, Shells("nothing"), tmp_path).workload_group(
            EAST, NEW, called, "net-east", {}
        )


class Writing(Shells):
    """istioctl that writes its files, but for those that are ``missing``."""

    def __init__(self, *missing: str, complaint: str = "") -> None:
        super().__init__(complaint=complaint)
        self.missing = missing

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        out = Path(argv[list(argv).index("-o") + 1])
        for name, text in FILES.items():
            if name not in self.missing:
                (out / name).write_text(text)
        return super().run(argv, **options)


def files(shell: Shells, folder: Path) -> dict[str, str]:
    group = {"kind": "WorkloadGroup", "metadata": {"name": "shop"}}
    made = Istioctl({NEW: Path("/bin/new")}, shell, folder)
    return made.workload_files(EAST, NEW, group, IPv4Address("172.30.0.200"))


def test_a_machines_files_are_read_and_its_token_is_not_kept(tmp_path: Path) -> None:
    shell = Writing()
    assert files(shell, tmp_path) == FILES
    words = " ".join(shell.ran[0])
    assert "--clusterID east --autoregister --ingressIP 172.30.0.200" in words
    assert not (tmp_path / "machine-shop" / "istio-token").exists()
    assert (tmp_path / "machine-shop" / "cluster.env").is_file()


def test_why_there_are_no_files_for_a_machine_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "hopeless", lambda *_: None)
    with pytest.raises(LabError, match=r"istioctl wrote no .*hosts for machine shop"):
        files(Writing("hosts"), tmp_path)
    with pytest.raises(LabError, match="no files for machine shop: Error: configmap"):
        files(Writing(complaint="Error: configmap istio-ca-root-cert was not found"), tmp_path)


def test_istiod_is_reached_through_the_gateway_or_by_an_address_of_its_own(
    tmp_path: Path,
) -> None:
    expansion = topology_named("vm-expansion")
    assert "istiod-gateway" in beside(expansion, "east")
    assert "short-connections" in beside(expansion, "east")
    assert not blueprint(expansion).has_address(expansion["east"])
    path = tmp_path / "near.yaml"
    path.write_text(
        "name: t\nclusters: {east: {role: primary, network: a}}\nmachines: {shop: {network: a}}\n"
    )
    near = read_topology(path)
    assert beside(near, "east") == ["default"]
    assert blueprint(near).has_address(near["east"])


def test_a_machine_alone_makes_its_mesh_cross_networks(tmp_path: Path) -> None:
    path = tmp_path / "far.yaml"
    path.write_text(
        "name: t\nclusters: {east: {role: primary, network: a, gateway: true}}\n"
        "machines: {shop: {network: b, version: v3}}\n"
    )
    names = beside(read_topology(path), "east")
    assert names == ["default", "cross-network-gateway", "istiod-gateway", "istiod"]


def test_entries_are_called_after_group_address_and_network() -> None:
    shop = topology_named("vm-expansion").machine("shop")
    assert entry_name(shop, IPv4Address("172.30.0.9")) == "shop-172.30.0.9-net-east"
    assert joining_of(shop).labels == {"app": "helloworld", "version": "v3"}
    assert joining_of(topology_named("vm-expansion").machine("till")).labels == {"app": "till"}


def test_all_entries_at_a_machines_address_are_its_own_whatever_their_network() -> None:
    there = {"near": "172.30.0.9", "elsewhere": "172.30.0.9", "till": "172.30.1.9", "bare": None}
    items = [
        {"metadata": {"name": name}, "spec": {"address": at} if at else {}}
        for name, at in there.items()
    ]
    asked: list[dict[str, str]] = []

    def listed(**what: str) -> SimpleNamespace:
        asked.append(what)
        return SimpleNamespace(to_dict=lambda: {"items": items})

    resources = SimpleNamespace(get=lambda **_: SimpleNamespace(get=listed))
    cluster = SimpleNamespace(
        name="east", foreign=None, dynamic=SimpleNamespace(resources=resources)
    )
    lab = SimpleNamespace(machines={"shop": SimpleNamespace(address=IPv4Address("172.30.0.9"))})
    mesh = cast(Mesh, SimpleNamespace(lab=lab, cluster={"east": cluster}.__getitem__))
    shop = topology_named("vm-expansion").machine("shop")
    assert entries_there(mesh, shop, "sample") == ["near", "elsewhere"]
    assert asked == [{"namespace": "sample"}]


def test_an_entry_says_whether_its_machine_is_connected() -> None:
    noted = {"metadata": {"annotations": {"istio.io/connectedAt": "now"}}}
    assert connected(noted)
    assert not connected({"metadata": {"annotations": {"istio.io/disconnectedAt": "now"}}})
    assert not connected({"metadata": {}})
    assert not connected(None)
