"""A cluster that is made anew: what is done, and in which order."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.artifacts import Helm
from meshproof.files import topology_named
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.installation import Installation
from meshproof.mesh.installer import Installer
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.mesh import Mesh
from meshproof.model import InstalledBy, Member
from meshproof.transitions import recovery as module
from meshproof.transitions.recovery import make_anew
from meshproof.workloads.sample import Sample


@pytest.mark.parametrize(
    ("by", "installer"),
    [(InstalledBy.ISTIOCTL, "Istioctl"), (InstalledBy.HELM, "HelmInstaller")],
)
def test_the_cluster_is_made_installed_and_has_its_workloads(
    monkeypatch: pytest.MonkeyPatch, by: InstalledBy, installer: str
) -> None:
    done: list[str] = []
    recorder = SimpleNamespace(step=lambda _: nullcontext())
    lab = SimpleNamespace(recorder=recorder, remake=lambda name: done.append(f"{name} is made"))
    mesh = SimpleNamespace(
        lab=lab,
        before={"east": "full", "west": "old"},
        bundle=SimpleNamespace(istioctl={}, helm=Helm(Path(), {})),
        folder=None,
        blueprint=None,
        shell=None,
        deployment=SimpleNamespace(topology=topology_named("multi-primary-flat"), installed_by=by),
        cluster=lambda name: f"new {name}",
        mark_dirty=done.append,
    )
    sample = Sample(cast(Any, mesh), {("west", "sample/sleep"): cast(Any, "gone")})

    def anew(work: Installation, member: Member) -> None:
        done.append(f"{member.name} is installed by {type(work.installer).__name__}")

    monkeypatch.setattr(Installation, "anew", anew)
    monkeypatch.setattr(module, "take_inventory", lambda cluster: f"what {cluster} has")
    monkeypatch.setattr(
        module, "deploy_in", lambda _, cluster, __: done.append(f"pods in {cluster}")
    )
    make_anew(sample, "west")
    assert done == [
        "cluster west was lost, and made anew",
        "west is made",
        f"west is installed by {installer}",
        "pods in new west",
    ]
    assert mesh.before == {"east": "full", "west": "what new west has"}
    assert sample.callers == {}


@pytest.mark.parametrize(
    ("topology", "name", "due"),
    [
        ("multi-primary-flat", "west", ["prepare west", "primary west", "introduce east"]),
        ("primary-remote-flat", "west", ["prepare west", "remote west"]),
        ("primary-remote-flat", "east", ["prepare east", "primary east", "introduce west"]),
    ],
)
def test_who_reads_and_is_read_is_introduced(
    monkeypatch: pytest.MonkeyPatch, topology: str, name: str, due: list[str]
) -> None:
    done: list[str] = []
    for what in ("prepare", "_install_primary", "_install_remote", "_introduce"):
        word = what.removeprefix("_install_").removeprefix("_")
        monkeypatch.setattr(
            Installation,
            what,
            lambda _, member, word=word: done.append(f"{word} {member.name}"),
        )
    found = topology_named(topology)
    mesh = cast(Mesh, SimpleNamespace(deployment=SimpleNamespace(topology=found)))
    plan = cast(Blueprint, SimpleNamespace(is_config_cluster=lambda _: False))
    Installation(mesh, plan, cast(Istioctl, None), cast(Installer, None)).anew(found[name])
    assert done == due


def test_a_part_of_an_external_control_plane_is_refused() -> None:
    found = topology_named("external-control-plane")
    mesh = cast(Mesh, SimpleNamespace(deployment=SimpleNamespace(topology=found)))
    plan = cast(Blueprint, SimpleNamespace(is_config_cluster=lambda _: False))
    work = Installation(mesh, plan, cast(Istioctl, None), cast(Installer, None))
    with pytest.raises(ValueError, match="is a part of an external control plane"):
        work.anew(found.externals[0])
