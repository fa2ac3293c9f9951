"""What `verify` hands to pytest: what was asked for, and nothing of whoever calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.resources import resource
from tests.cli.harness import Ended, run
from tests.cli.world import World

HABITS = {
    "PYTEST_ADDOPTS": "-k distribution",
    "PYTEST_PLUGINS": "nothing_like_it",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "",
    "PYTEST_DEBUG": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONINSPECT": "1",
    "PYTHONSTARTUP": "/x",
    "KUBECONFIG": "/x",
    "KUBECTL_EXTERNAL_DIFF": "/x",
    "HELM_NAMESPACE": "x",
    "KIND_EXPERIMENTAL_PROVIDER": "nerdctl",
    "KIND_CLUSTER_NAME": "x",
    "ISTIOCONFIG": "/x",
    "ISTIOCTL_ISTIONAMESPACE": "mesh-system",
    "PILOT_ENABLE_IP_AUTOALLOCATE": "false",
    "CONTAINER_HOST": "ssh://x",
    "DOCKER_DEFAULT_PLATFORM": "linux/arm64",
    "GOFLAGS": "-mod=mod",
    "GIT_DIR": "/x",
    "BASH_ENV": "/x",
}
NEEDED = ("HOME", "PATH", "MESHPROOF_STATE", "MESHPROOF_STORE", "TMPDIR")
CONFIGURATIONS = {
    "pytest.ini": "[pytest]\naddopts = -k distribution --maxfail=1\npython_files = x.py\n",
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "-k distribution -p no:xdist"\n',
}


def going_on(world: World, argv: str, env: dict[str, str] | None = None) -> Ended:
    ended = run(world, argv, env)
    assert ended.went == "pytest", ended.told
    return ended


def test_nothing_of_the_callers_habits_is_handed_on(world: World) -> None:
    ended = going_on(world, "verify", HABITS)
    kept = {name: value for name, value in ended.env.items() if name in HABITS}
    assert kept == {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert not [word for word in ended.argv for habit in ("-k", "/x", "nerdctl") if word == habit]


def test_the_same_is_asked_for_with_the_callers_habits(world: World) -> None:
    assert going_on(world, "verify", HABITS).argv == going_on(world, "verify").argv


def test_what_meshproof_itself_needs_is_handed_on(world: World) -> None:
    given, found = world.environment(), going_on(world, "verify").env
    assert {name: found[name] for name in NEEDED} == {name: given[name] for name in NEEDED}


@pytest.mark.parametrize("home", ["", "/nonexistent", "relative"])
def test_a_home_that_is_none_is_replaced(world: World, home: str) -> None:
    assert Path(going_on(world, "verify", {"HOME": home}).env["HOME"]).is_dir()


def test_the_command_line_names_configuration_and_plugins(world: World) -> None:
    ended = going_on(world, "verify bare")
    suites = resource("suites")
    line = " ".join(ended.argv)
    assert ended.argv[:4] == [sys.executable, "-P", "-m", "meshproof.runner"]
    assert f"-c {suites / 'verify.ini'} --rootdir {suites.parent}" in line
    assert "-p xdist.plugin -p meshproof.runner.plugin -p no:cacheprovider" in line
    assert ended.argv[-1] == str(suites)
    assert "--topology=bare" in ended.argv


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("--mtls strict --mtls disabled", ["--mtls=strict", "--mtls=disabled"]),
        ("--full --enforce --sabotage", ["--full", "--enforce", "--sabotage"]),
        ("--istio 1.31.0 --kubernetes 1.36.1", ["--istio=1.31.0", "--kubernetes=1.36.1"]),
        ("--engine podman --artifacts built", ["--engine=podman", "--artifacts=built"]),
        ("--workers 2", ["-n", "2", "--max-worker-restart=0"]),
        ("--keep", ["--keep"]),
        ("--pool 10.213.0.0/16", ["--pool=10.213.0.0/16"]),
        ("--collect-only", ["--collect-only"]),
        ("--reports elsewhere", ["--reports={work}/elsewhere"]),
    ],
)
def test_options_are_handed_on(world: World, argv: str, words: list[str]) -> None:
    handed = going_on(world, f"verify primary-remote-flat {argv}").argv
    assert not [word for word in map(world.spelled, words) if word not in handed]


@pytest.mark.parametrize("argv", ["--keep", "--workers 1", "--collect-only"])
def test_one_lab_needs_no_workers(world: World, argv: str) -> None:
    assert "-n" not in going_on(world, f"verify {argv}").argv


def last_line(folder: Path) -> str:
    """What a listing of one topology's tests ends with, by the real program."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "meshproof", "verify", "primary-remote-flat", "--collect-only"],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def test_configuration_files_nearby_have_no_part(tmp_path: Path) -> None:
    """Of pytest: in the working directory, above it, and beside a conftest.py."""
    usual = last_line(tmp_path / "plain" / "work")
    assert " tests would run, on " in usual
    for name, text in CONFIGURATIONS.items():
        project = tmp_path / name.replace(".", "-")
        project.mkdir()
        (project / name).write_text(text)
        (project / "conftest.py").write_text("raise SystemExit(0)\n")
        where = project if name != "pyproject.toml" else project / "below"
        assert last_line(where) == usual, name
