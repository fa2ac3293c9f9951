"""`meshproof enter`: what a shell, or one command, finds of a lab."""

from __future__ import annotations

import os
import shutil
import subprocess
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
    for name in ("east", "west"):
        (world.state / "labs" / LAB_ID / f"{name}.kubeconfig").write_text(f"of: {name}\n")
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
    kubeconfig = Path(went.env["KUBECONFIG"])
    assert kubeconfig.read_text() == "of: east\n" and kubeconfig.stat().st_mode & 0o777 == 0o600


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
    assert f"Contexts: kind-mp-{LAB_ID}-east, kind-mp-{LAB_ID}-west; the first is current" in told


def test_what_is_changed_in_a_shell_is_not_changed_in_the_lab(laid: World) -> None:
    first = Path(enter(LAB_ID).env["KUBECONFIG"].split(":")[0])
    first.write_text("of: somebody who chose another context\n")
    own = laid.state / "labs" / LAB_ID / "east.kubeconfig"
    assert own.read_text() == "of: east\n" and own != first
    assert Path(enter(LAB_ID).env["KUBECONFIG"].split(":")[0]).read_text() == "of: east\n"


def test_what_bash_reads_of_the_user_leads_to_no_other_cluster(
    laid: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    other = laid.work / "other"
    other.mkdir()
    (other / "kubectl").write_text("#!/bin/sh\n")
    (other / "kubectl").chmod(0o755)
    (laid.home / ".bashrc").write_text(
        f"export PATH={other}:$PATH KUBECONFIG=/of/mine; mine=kept; PS1='mine '\n"
    )
    monkeypatch.setenv("SHELL", bash)
    went = enter(LAB_ID, "east")
    asked = 'echo "$KUBECONFIG|$(command -v kubectl)|$mine|$PS1"'
    argv = [went.program, *went.argv[1:], "-i", "-c", asked]
    done = subprocess.run(argv, env=went.env, capture_output=True, text=True)
    kubeconfig = Path(went.env["KUBECONFIG"])
    assert kubeconfig.name == "east.kubeconfig"
    words = [str(kubeconfig), str(kubeconfig.parent / "kubectl"), "kept", f"(lab {LAB_ID}) mine"]
    assert done.stdout.strip() == "|".join(words), done.stderr
    # Without that file it would be so.
    done = subprocess.run([bash, "-i", "-c", asked], env=went.env, capture_output=True, text=True)
    assert done.stdout.startswith(f"/of/mine|{other}/kubectl|")


def test_what_cannot_be_entered(laid: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Any = typer.main.get_command(enter_app)
    with pytest.raises(UsageError, match="has no cluster 'esat': did you mean"):
        run([LAB_ID, "esat"], standalone_mode=False)
    with pytest.raises(UsageError, match="there is no program 'kubeclt'"):
        run([LAB_ID, "east", "--", "kubeclt"], standalone_mode=False)
    (laid.state / "labs" / LAB_ID / "west.kubeconfig").unlink()
    with pytest.raises(MeshproofError, match=r"cannot read the kubeconfig .*west"):
        run([LAB_ID], standalone_mode=False)
    shutil.rmtree(laid.state / "labs" / LAB_ID / "programs")
    silent = SimpleNamespace(
        name="podman", command=lambda *_, **__: SimpleNamespace(returncode=125)
    )
    monkeypatch.setattr("meshproof.cli.enter.choose_engine", lambda *_: silent)
    with pytest.raises(MeshproofError, match="does not give its kubectl: see that the lab"):
        run([LAB_ID, "east"], standalone_mode=False)
