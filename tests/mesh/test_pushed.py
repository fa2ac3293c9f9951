"""A mesh that is pushed: what is handed to the host's source, and what is waited for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import CommandError, LabError
from meshproof.host.fleet import Fleet
from meshproof.kube import RunningCluster
from meshproof.mesh import pushed as module
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.pushed import PushedInstaller
from meshproof.model import Version
from meshproof.process import Finished, Shell

VERSION = Version(1, 31, 1)
EAST = cast(RunningCluster, SimpleNamespace(name="east"))


class Fleets:
    """Notes what is pushed. ``holds``: what the host keeps in a member."""

    def __init__(self, *holds: str) -> None:
        self.done: list[Any] = []
        self.holds = frozenset(holds)

    def begin(self) -> None:
        self.done.append("begin")

    def push(
        self, member: str, objects: Any = (), manifests: dict[str, str] | None = None
    ) -> frozenset[str]:
        self.done.append((member, list(objects), manifests))
        return self.holds

    def withdraw(self, member: str) -> None:
        self.done.append(f"withdraw {member}")


class Shells(Shell):
    """istioctl, which writes a manifest, or complains."""

    def __init__(self, complaint: str = "") -> None:
        super().__init__()
        self.ran: list[list[str]] = []
        self.complaint = complaint

    def run(self, argv: Any, **_: Any) -> Finished:
        self.ran.append(list(argv))
        if self.complaint:
            raise CommandError(argv, 1, "", self.complaint)
        return Finished(tuple(argv), 0, "kind: Deployment\n", "", 0.1)


def installer(fleet: Fleets, folder: Path, shell: Shell | None = None) -> PushedInstaller:
    ran = shell or Shells()
    istioctl = Istioctl({VERSION: Path("/bin/istioctl")}, ran, folder)
    return PushedInstaller(cast(Fleet, fleet), istioctl, ran)


def test_what_istioctl_writes_is_pushed_as_it_is_and_its_deployments_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(module, "await_rollout", lambda *words, **_: waited.append(words[:3]))
    fleet = Fleets("Deployment istio-system/istiod", "Deployment other/one", "Secret a/b")
    shell = Shells()
    installer(fleet, tmp_path, shell).install(EAST, VERSION, "primary", {"kind": "IstioOperator"})
    assert fleet.done == [("east", [], {"primary": "kind: Deployment\n"})]
    kept = str(tmp_path / "east-primary.yaml")
    assert shell.ran == [["/bin/istioctl", "manifest", "generate", "-f", kept]]
    assert waited == [(EAST, "istio-system", {"istiod"})]


def test_a_manifest_that_cannot_be_written_is_told_in_istioctls_words(tmp_path: Path) -> None:
    shell = Shells("Error: no such profile\n")
    with pytest.raises(LabError, match=r"wrote no manifest of primary for east: .*no such profile"):
        installer(Fleets(), tmp_path, shell).install(EAST, VERSION, "primary", {})


def test_a_manifest_without_a_deployment_is_no_installation(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="of primary for east has no Deployment"):
        installer(Fleets("Secret a/b"), tmp_path).install(EAST, VERSION, "primary", {})


def test_what_is_beside_it_is_pushed_as_well_and_all_of_it_is_withdrawn(tmp_path: Path) -> None:
    fleet = Fleets()
    made = installer(fleet, tmp_path)
    made.begin()
    made.give(EAST, [])
    made.give(EAST, [{"kind": "Secret"}])
    made.uninstall(EAST, VERSION)
    assert fleet.done == ["begin", ("east", [{"kind": "Secret"}], None), "withdraw east"]
