"""`meshproof enter`: what a shell, or one command, finds of a lab."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main

from meshproof.cli.enter import enter_app
from meshproof.errors import MeshproofError, UsageError
from tests.cli.laid import LAB_ID, lab, noted_mesh
from tests.cli.world import World


class Went(BaseException):
    """The program went on as another."""

    def __init__(self, program: str, argv: list[str], env: dict[str, str]) -> None:
        self.program, self.argv, self.env = program, argv, env
        super().__init__(program)


def copying(*argv: str, **_: object) -> SimpleNamespace:
    """An engine that gives a node's kubectl."""
    what, source, target = argv
    assert (what, source) == ("cp", f"mp-{LAB_ID}-east-control-plane:/usr/bin/kubectl")
    Path(target).write_text("#!/bin/sh\n")
    return SimpleNamespace(returncode=0)


@pytest.fixture
def laid(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    def went(program: str, argv: list[str], env: dict[str, str]) -> None:
        raise Went(program, argv, env)

    for name, value in world.environment().items():
        monkeypatch.setenv(name, value or "")
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setattr(
        "meshproof.cli.enter.choose_engine",
        lambda *_: SimpleNamespace(name="podman", command=copying),
    )
    monkeypatch.setattr("os.execve", went)
    lab()(world)
    return world


def enter(*words: str) -> Went:
    with pytest.raises(Went) as found:
        typer.main.get_command(enter_app)(list(words), standalone_mode=False)
    return found.value


def test_a_command_reaches_one_cluster_with_programs_of_its_versions(laid: World) -> None:
    istioctl = laid.work / "istioctl-1.31.1"
    istioctl.write_text("")
    noted_mesh("x", istioctl={"east": str(istioctl)})(laid)
    went = enter(LAB_ID, "east", "--", "kubectl", "get", "pods", "-A")
    assert went.argv == ["kubectl", "get", "pods", "-A"]
    folder = Path(went.program).parent
    assert folder.is_relative_to(laid.state) and went.env["PATH"].startswith(f"{folder}:")
    assert os.access(folder / "kubectl", os.X_OK)
    assert (folder / "istioctl").resolve() == istioctl
    assert went.env["KUBECONFIG"] == str(laid.state / "labs" / LAB_ID / "east.kubeconfig")


def test_a_shell_reaches_all_clusters_and_says_what_is_there(
    laid: World, capsys: pytest.CaptureFixture[str]
) -> None:
    went = enter(LAB_ID)
    assert (went.program, went.argv) == ("/bin/sh", ["/bin/sh"])
    assert [Path(one).name for one in went.env["KUBECONFIG"].split(":")] == [
        "east.kubeconfig",
        "west.kubeconfig",
    ]
    told = capsys.readouterr().err
    assert f"Lab {LAB_ID}, clusters east, west: kubectl 1.36.3, no istioctl" in told


def test_what_cannot_be_entered(laid: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Any = typer.main.get_command(enter_app)
    with pytest.raises(UsageError, match="has no cluster 'esat': did you mean"):
        run([LAB_ID, "esat"], standalone_mode=False)
    with pytest.raises(UsageError, match="there is no program 'kubeclt'"):
        run([LAB_ID, "east", "--", "kubeclt"], standalone_mode=False)
    shutil.rmtree(laid.state / "labs" / LAB_ID / "programs")
    silent = SimpleNamespace(
        name="podman", command=lambda *_, **__: SimpleNamespace(returncode=125)
    )
    monkeypatch.setattr("meshproof.cli.enter.choose_engine", lambda *_: silent)
    with pytest.raises(MeshproofError, match="does not give its kubectl: see that the lab"):
        run([LAB_ID, "east"], standalone_mode=False)
