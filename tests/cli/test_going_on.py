"""What `verify` hands to pytest: what was asked for, and nothing of whoever calls."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.model import RunRequest
from meshproof.model.request import OPTIONS, VERIFYS, words
from meshproof.resources import resource
from tests.cli.harness import Ended, run
from tests.cli.world import World

HABITS = {
    "PYTEST_ADDOPTS": "-k distribution",
    "PYTEST_PLUGINS": "nothing_like_it",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "",
    "PYTEST_DEBUG": "1",
    "ALLURE_TESTPLAN_PATH": "/x",
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
    with_habits, without = going_on(world, "verify", HABITS), going_on(world, "verify")
    assert with_habits.argv[:-1] == without.argv[:-1]
    assert with_habits.request == without.request


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
    assert ended.argv[-1].startswith("--meshproof-request=")


def test_results_for_allure_are_written_by_its_own_plugin(world: World) -> None:
    ended = going_on(world, "verify bare --alluredir made/results")
    folder = world.work / "made" / "results"
    assert f"-p allure_pytest.plugin --alluredir={folder}" in " ".join(ended.argv)
    assert folder.is_dir()
    listed = going_on(world, "verify bare --alluredir elsewhere --collect-only")
    assert "allure" not in " ".join(listed.argv) and not (world.work / "elsewhere").exists()


def test_results_for_ci_systems_are_written_into_a_file_that_can_be(world: World) -> None:
    ended = going_on(world, "verify bare --junitxml made/here/junit.xml")
    file = world.work / "made" / "here" / "junit.xml"
    assert f"--meshproof-junitxml={file}" in " ".join(ended.argv)
    assert file.parent.is_dir() and not file.exists()
    listed = going_on(world, "verify bare --junitxml elsewhere/junit.xml --collect-only")
    assert "junit" not in " ".join(listed.argv) and not (world.work / "elsewhere").exists()


def test_what_is_asked_for_goes_on_as_it_was_written(world: World) -> None:
    asked = going_on(
        world,
        "verify primary-remote-flat bare --mtls strict --mtls disabled --profile all --enforce "
        "--sabotage --istio 1.31.0 --kubernetes 1.36.1 --engine podman --artifacts built "
        "--workers 2 --pool 10.213.0.0/16 --reports elsewhere",
    ).request
    assert asked == RunRequest(
        topology=("primary-remote-flat", "bare"),
        mtls=("strict", "disabled"),
        profile="all",
        enforce=True,
        sabotage=True,
        istio=("1.31.0",),
        kubernetes="1.36.1",
        engine="podman",
        artifacts="built",
        workers="2",
        pool="10.213.0.0/16",
        reports=world.work / "elsewhere",
    )


def test_what_is_spelled_as_words_is_read_again(world: World) -> None:
    request = RunRequest(
        topology=("primary-remote-flat",),
        mtls=("strict",),
        keep=True,
        reports=world.work / "a b",
    )
    assert going_on(world, shlex.join(["verify", *words(request, VERIFYS)])).request == request


def test_where_nothing_is_said_the_defaults_are_asked_for(world: World) -> None:
    assert going_on(world, "verify").request == RunRequest(reports=world.work / "reports")
    assert going_on(world, "verify --keep").request.keep


def test_to_list_and_to_print_behaviours_is_not_part_of_what_is_asked_for(world: World) -> None:
    assert "--collect-only" in going_on(world, "verify --collect-only").argv
    shown = going_on(world, "behaviours --markdown")
    assert {"--collect-only", "--meshproof-behaviours=markdown"} <= set(shown.argv)
    assert shown.request.profile == "all"


def test_every_option_of_a_request_is_one_of_verify(world: World) -> None:
    manual = run(world, "verify --help", {"COLUMNS": "300"}).out
    named = [one for one in OPTIONS.values() if VERIFYS not in one.hidden and not one.positional]
    assert len(named) > 15
    assert [one.name for one in named if not re.search(rf"{one.of(VERIFYS)}\b", manual)] == []


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
