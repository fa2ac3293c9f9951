"""Helm: what it is run with, in which order, and why it failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from meshproof.artifacts import Helm
from meshproof.engine import Engine
from meshproof.errors import CommandError, LabError
from meshproof.files import topology_named
from meshproof.kube import RunningCluster
from meshproof.mesh import helm as module
from meshproof.mesh.helm import HelmInstaller
from meshproof.mesh.installer import installer_of
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.pushed import PushedInstaller
from meshproof.mesh.sketch import on_paper, sketched
from meshproof.model import Cluster, InstalledBy, Version
from meshproof.process import Finished, Shell

VERSION = Version(1, 31, 1)
SPEC = Cluster("east", IPv4Network("10.10.0.0/16"), IPv4Network("10.11.0.0/16"), "")
EAST = RunningCluster(SPEC, Path("/labs/east.yaml"), cast(Engine, None))
REFUSED = (
    "level=WARN msg=old\nError: INSTALLATION FAILED: resource Deployment/istio-system/istiod not "
    "ready. status: InProgress\ncontext deadline exceeded\n"
)


class Shells(Shell):
    """Notes what is run, and with which variables. ``answer``: what it prints; ``complaint``: what
    it complains of, to fail."""

    def __init__(self, answer: str = "", complaint: str = "") -> None:
        super().__init__()
        self.ran: list[tuple[str, ...]] = []
        self.env: dict[str, str] = {}
        self.answer, self.complaint = answer, complaint

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        self.ran.append(tuple(argv))
        self.env = options["env"]
        if self.complaint:
            raise CommandError(argv, 1, "", self.complaint)
        return Finished(tuple(argv), 0, self.answer, "", 0.0)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    def say(why: str | None) -> None:
        monkeypatch.setattr(module, "hopeless", lambda *_: why)

    say(None)
    return say


def program(shell: Shell, folder: Path) -> HelmInstaller:
    return HelmInstaller(Helm(Path("/bin/helm"), {VERSION: Path("/charts")}), shell, folder)


def document() -> dict[str, Any]:
    plan = on_paper(sketched(topology_named("multi-primary-flat")))
    return plan.control_plane(plan.deployment.topology["east"])


def test_each_release_is_waited_for_and_its_values_are_kept(tmp_path: Path) -> None:
    shell = Shells()
    program(shell, tmp_path / "mesh").install(EAST, VERSION, "primary", document())
    assert [one[:4] for one in shell.ran] == [
        ("/bin/helm", "install", "istio-base", "/charts/base"),
        ("/bin/helm", "install", "istiod", "/charts/istiod"),
    ]
    for one in shell.ran:
        assert one[-4:] == ("--namespace", "istio-system", "--kubeconfig", "/labs/east.yaml")
        assert "--wait=watcher" in one
    kept = yaml.safe_load((tmp_path / "mesh" / "east-primary-istiod.yaml").read_text())
    assert kept["global"]["multiCluster"]["clusterName"] == "east"
    assert str(tmp_path / "mesh" / "east-primary-istio-base.yaml") in shell.ran[0]


def test_nothing_of_the_users_helm_is_read(tmp_path: Path) -> None:
    shell = Shells()
    program(shell, tmp_path).install(EAST, VERSION, "primary", document())
    homes = {"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"}
    assert set(shell.env) == homes
    assert all(Path(one).is_relative_to(tmp_path) for one in shell.env.values())


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("pod istiod: ErrImageNeverPull", "pod istiod: ErrImageNeverPull"),
        (
            None,
            "INSTALLATION FAILED: resource Deployment/istio-system/istiod not ready. status: "
            "InProgress context deadline exceeded",
        ),
    ],
    ids=["the pod's own words", "Helm's"],
)
def test_a_release_that_failed_says_why(
    why: str | None, said: str, stuck: Callable[[str | None], None], tmp_path: Path
) -> None:
    stuck(why)
    shell = Shells(complaint=REFUSED)
    told = r"the release istio-base of Istio 1\.31\.1 was not installed in east: "
    with pytest.raises(LabError, match=told) as raised:
        program(shell, tmp_path).install(EAST, VERSION, "primary", document())
    assert said in str(raised.value)
    assert len(shell.ran) == 1  # what rests on it is not tried


def test_all_releases_go_istiods_first_and_then_the_kinds_that_helm_keeps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kind = {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gateways.networking.istio.io"},
    }
    gone: list[Any] = []
    monkeypatch.setattr(module, "_kinds", lambda _: [kind])
    monkeypatch.setattr(module, "delete", lambda _, objects: gone.extend(objects))
    shell = Shells("istio-base\nistio-eastwestgateway\nistiod-canary\n")
    program(shell, tmp_path).uninstall(EAST, VERSION)
    assert [one[1:3] for one in shell.ran] == [
        ("list", "--short"),
        ("uninstall", "istiod-canary"),
        ("uninstall", "istio-eastwestgateway"),
        ("uninstall", "istio-base"),
    ]
    assert gone == [kind]


def test_only_istios_kinds_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["gateways.networking.istio.io", "gateways.gateway.networking.k8s.io"]
    items = [SimpleNamespace(metadata=SimpleNamespace(name=one)) for one in names]
    api = SimpleNamespace(list_custom_resource_definition=lambda: SimpleNamespace(items=items))
    monkeypatch.setattr(
        module, "client", SimpleNamespace(ApiextensionsV1Api=lambda _: api), raising=False
    )
    cluster = cast(RunningCluster, SimpleNamespace(name="east", api=None))
    assert [one["metadata"]["name"] for one in module._kinds(cluster)] == names[:1]


def test_a_removal_that_failed_says_why(
    stuck: Callable[[str | None], None], tmp_path: Path
) -> None:
    shell = Shells(complaint="Error: Kubernetes cluster unreachable\n")
    told = r"Istio 1\.31\.1 was not removed from east: Kubernetes cluster unreachable"
    with pytest.raises(LabError, match=told):
        program(shell, tmp_path).uninstall(EAST, VERSION)


@pytest.mark.parametrize("by", InstalledBy)
def test_what_installs_a_mesh_is_its_deployments_choice(by: InstalledBy) -> None:
    helm = Helm(Path("/bin/helm"), {})
    mesh: Any = SimpleNamespace(
        deployment=SimpleNamespace(installed_by=by, topology=topology_named("host-pushed-mesh")),
        bundle=SimpleNamespace(istioctl={}, helm=helm, host=object()),
        folder=Path("nowhere"),
        fleet=object(),
    )
    kinds = {
        InstalledBy.ISTIOCTL: Istioctl,
        InstalledBy.HELM: HelmInstaller,
        InstalledBy.PUSHED: PushedInstaller,
    }
    assert type(installer_of(mesh, Shell())) is kinds[by]


def test_without_helm_among_the_artifacts_it_says_so() -> None:
    mesh: Any = SimpleNamespace(
        deployment=SimpleNamespace(installed_by=InstalledBy.HELM),
        bundle=SimpleNamespace(istioctl={}, helm=None),
        folder=Path("nowhere"),
    )
    with pytest.raises(LabError, match="the artifacts hold no Helm"):
        installer_of(mesh, Shell())
