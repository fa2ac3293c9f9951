"""Which engine is taken, and the one sentence when none is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.doctor import probes
from meshproof.doctor.findings import Level
from meshproof.engine import choose_engine
from meshproof.engine import engine as engine_module
from meshproof.errors import EngineError, UsageError
from meshproof.process import Shell
from tests.doctor.healthy import HEALTHY, finding

from .programs import DOCKER, DOWN, EMULATED, PODMAN, SHIM, Programs

NOISE = "echo 'WARNING: use podman in this company, docker will go'\necho '[notice] see INTRANET'\n"
REMOTE = PODMAN.replace('linux/amd64"}', 'linux/amd64"},"Server":{"Version":"4.3.1"}')
PODMANS_SOCKET = DOCKER.replace('"Components":[]', '"Components":[{"Name":"Podman Engine"}]')


@pytest.mark.parametrize(
    ("docker", "podman", "wanted", "name", "version"),
    [
        (DOCKER, PODMAN, None, "docker", "28.2.1"),
        (DOCKER, PODMAN, "podman", "podman", "4.3.1"),
        (DOWN, PODMAN, None, "podman", "4.3.1"),
        (SHIM, PODMAN, None, "podman", "4.3.1"),
        (EMULATED, PODMAN, None, "podman", "4.3.1"),
        (PODMANS_SOCKET, PODMAN, None, "podman", "4.3.1"),
        ("echo 'nerdctl version 2.0'", PODMAN, None, "podman", "4.3.1"),
        (NOISE + DOCKER, None, None, "docker", "28.2.1"),
        (None, NOISE + PODMAN, None, "podman", "4.3.1"),
        (DOCKER, SHIM.replace("podman", "docker"), None, "docker", "28.2.1"),
    ],
)
def test_the_engine_that_is_taken(
    programs: Programs, docker: str | None, podman: str | None, wanted: str, name: str, version: str
) -> None:
    _put(programs, docker, podman)
    found = choose_engine(Shell(), wanted)
    assert (found.name, found.version()) == (name, version)


@pytest.mark.parametrize(
    ("docker", "podman", "wanted", "sentence"),
    [
        (SHIM, PODMAN, "docker", "docker on this machine is podman: use '--engine podman'."),
        (EMULATED, PODMAN, "docker", "docker on this machine is podman: use '--engine podman'."),
        (
            PODMANS_SOCKET,
            PODMAN,
            "docker",
            "docker on this machine is podman: use '--engine podman'.",
        ),
        (
            "echo podman version 4.3.1",
            None,
            None,
            "no container engine can be used (docker on this machine is podman; podman is not "
            "installed): put podman on the PATH under its own name.",
        ),
        (
            DOWN,
            PODMAN,
            "docker",
            "docker does not answer: Cannot connect to the Docker daemon. Is the docker daemon "
            "running?: use '--engine podman', which works here.",
        ),
        (
            DOCKER,
            None,
            "podman",
            "podman is not installed: use '--engine docker', which works here.",
        ),
        (
            DOCKER,
            "echo cannot re-exec process >&2; exit 125",
            "podman",
            "the program podman is no podman: it says 'cannot re-exec process': use '--engine "
            "docker', which works here.",
        ),
        (DOWN, None, "docker", "running?: run 'meshproof doctor --fix'."),
        (
            None,
            None,
            None,
            "no container engine can be used (docker is not installed; podman is not installed): "
            "run 'meshproof doctor --fix'.",
        ),
        (
            None,
            REMOTE,
            "podman",
            "podman runs elsewhere, or behind a socket: let the podman of this machine run.",
        ),
        (
            "echo nerdctl version 2.0",
            None,
            "docker",
            "the program docker is no docker: it says 'nerdctl version 2.0': run 'meshproof "
            "doctor --fix'.",
        ),
        (
            DOCKER.replace("echo '{", "echo 'Welcome! {"),
            None,
            "docker",
            "'docker version --format {{json .}}' answered what cannot be read: Welcome!",
        ),
    ],
)
def test_why_none_is_taken(
    programs: Programs, docker: str | None, podman: str | None, wanted: str | None, sentence: str
) -> None:
    _put(programs, docker, podman)
    with pytest.raises(EngineError) as caught:
        choose_engine(Shell(), wanted)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["tcp://192.0.2.1:2375", "ssh://there"])
def test_a_daemon_elsewhere_is_refused(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    programs.put("docker", DOCKER)
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineError, match=f"docker runs elsewhere, or behind a port .{host}"):
        choose_engine(Shell(), "docker")
    programs.put("podman", PODMAN)
    assert choose_engine(Shell()).name == "podman"


def test_an_engine_that_hangs_is_not_waited_for(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_FIRST", 0.3)
    _put(programs, "exec sleep 60", PODMAN)
    with pytest.raises(EngineError) as caught:
        choose_engine(Shell(), "docker")
    assert str(caught.value) == (
        "docker does not answer: nothing within 0 s: use '--engine podman', which works here."
    )


def test_an_unknown_name_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="did you mean podman"):
        choose_engine(Shell(), "Podmann")


def test_without_root_the_remedy_is_root(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs.put("podman", PODMAN)
    monkeypatch.setattr("meshproof.engine.choose.os.geteuid", lambda: 1000)
    with pytest.raises(EngineError, match="need root: run meshproof as root"):
        choose_engine(Shell())


@pytest.mark.parametrize(
    ("docker", "wanted", "found", "remedy"),
    [
        (SHIM, "docker", "docker on this machine is podman", "use '--engine podman'"),
        (DOWN, "docker", "docker does not answer", "use '--engine podman', which works here"),
    ],
)
def test_the_doctor_says_the_same(
    programs: Programs, docker: str, wanted: str, found: str, remedy: str
) -> None:
    _put(programs, docker, PODMAN)
    said = finding(replace(HEALTHY, engine=probes.engine(Shell(), wanted)), "engine")
    assert (said.level, said.remedy) == (Level.FAIL, remedy)
    assert said.found.startswith(found)


def _put(programs: Programs, docker: str | None, podman: str | None) -> None:
    for name, script in (("docker", docker), ("podman", podman)):
        if script is not None:
            programs.put(name, script)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ('"Platform":{"Name":"Docker Desktop 4.41.2 (191736)"},"Components":[]', "Docker Desktop"),
        ('"Components":[{"Name":"Engine"},{"Name":"rootlesskit"}]', "docker runs rootless"),
    ],
)
def test_containers_that_are_no_neighbours_are_one_sentence(
    programs: Programs, told: str, sentence: str
) -> None:
    _put(programs, DOCKER.replace('"Components":[]', told), PODMAN)
    with pytest.raises(EngineError, match=sentence) as raised:
        choose_engine(Shell(), "docker")
    assert "'--engine podman', which works here" in str(raised.value)
    assert choose_engine(Shell()).name == "podman"
    engine = DOCKER.replace('"Components":[]', '"Platform":{"Name":""},"Components":[]')
    _put(programs, engine, PODMAN)
    assert choose_engine(Shell(), "docker").name == "docker"


def test_a_user_who_looks_like_root_to_podman_is_told(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(programs, None, PODMAN)
    monkeypatch.setenv("_CONTAINERS_USERNS_CONFIGURED", "done")
    with pytest.raises(EngineError, match="podman is rootless here"):
        choose_engine(Shell(), "podman")
