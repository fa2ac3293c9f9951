"""What an engine prints is read rightly, or the error names the command and its words."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from meshproof.engine import Engine
from meshproof.engine.docker import Docker
from meshproof.engine.podman import Podman
from meshproof.errors import CommandError, EngineError
from meshproof.process import Shell

from .programs import DOCKER, PODMAN, Programs

ID = "5757d9b87bb154c4b5d20a3599bff105588048af48daa09de653fe54241c1953"
NOISE = "echo WARNING: this machine is watched\necho '[WARN] see {INTRANET}'\n"
ON_ITS_LINE = NOISE + "printf 'deprecated: '\n"
LISTED = """
case "$1 $2" in
"ps -a") [ "$3" = --external ] && echo '[{"Id":"a1","Names":["one"],"State":"running"}]' ||
  echo "${5%%'{{'*}ID" ;;
"container inspect") echo '[{"Name":"/one","State":{"Running":true},"Config":{"Labels":null}}]' ;;
"network ls") echo "${4%%'{{'*}net" ;;
"volume ls") echo "${4%%'{{'*}vol" ;;
"volume inspect") echo '[{"Name":"vol","Labels":{"a":"b"}}]' ;;
"image inspect") echo "${4%%'{{'*}sha256:ID" ;;
"commit box") echo sha256:ID ;;
"inspect -f") echo "${3%%'{{'*}4194304 ID" ;;
*) exit 1 ;;
esac
""".replace("ID", ID)
BROKEN = "echo 'Please log in at INTRANET'; exit 0"
Kind = type[Docker] | type[Podman]
ENGINES: tuple[Kind, ...] = (Docker, Podman)


def _engine(programs: Programs, kind: Kind, script: str) -> Engine:
    programs.put(kind.name, script)
    return kind(Shell())


def test_words_of_a_wrapper_are_no_containers(programs: Programs) -> None:
    for kind in ENGINES:
        found = _engine(programs, kind, NOISE + LISTED).containers()
        assert [(one.name, one.running) for one in found] == [("one", True)]


@pytest.mark.parametrize("noise", ["", NOISE, ON_ITS_LINE], ids=["none", "before", "on its line"])
def test_rows_are_told_from_what_is_around_them(programs: Programs, noise: str) -> None:
    for kind in ENGINES:
        engine = _engine(programs, kind, noise + LISTED)
        assert engine.image_id("localhost/image") == ID
        assert engine.commit("box", "localhost/image", ()) == ID
        with pytest.raises(EngineError, match="container box does not run on this machine"):
            engine.pid("box")


def test_volumes_bear_their_labels(programs: Programs) -> None:
    assert _engine(programs, Podman, LISTED).volumes() == {"vol": {"a": "b"}}


def test_networks_of_both_kinds(programs: Programs) -> None:
    podmans = '[{"name":"net","driver":"bridge","network_interface":"podman1",'
    podmans += '"subnets":[{"subnet":"10.89.0.0/24"}]}]'
    dockers = '[{"Name":"net","Driver":"bridge","Id":"0123456789abcdef",'
    dockers += '"IPAM":{"Config":[{"Subnet":"10.89.0.0/24"}]}}]'
    for kind, answer, bridge in (
        (Podman, podmans, "podman1"),
        (Docker, dockers, "br-0123456789ab"),
    ):
        script = f"""[ "$2" = inspect ] && {{ echo '{answer}'; exit; }}\n{LISTED}"""
        (found,) = _engine(programs, kind, script).networks()
        assert (found.bridge, found.subnets) == (bridge, (IPv4Network("10.89.0.0/24"),))


@pytest.mark.parametrize("answer", [BROKEN, "echo '[1, 2]'", "echo '[{}]'", "echo '[{\"Id\": '"])
def test_an_answer_that_cannot_be_read_is_named(programs: Programs, answer: str) -> None:
    engine = _engine(programs, Podman, answer)
    with pytest.raises(EngineError, match="'podman ps -a --external …' answered what") as caught:
        engine.containers()
    assert "if podman is a wrapper" in caught.value.remedy


def test_nothing_at_all_is_an_empty_list(programs: Programs) -> None:
    assert _engine(programs, Podman, "exit 0").containers() == []
    assert _engine(programs, Docker, "exit 0").networks() == []


@pytest.mark.parametrize(
    "said",
    [
        "Error: inspecting object: no such container one",
        "Error response from daemon: network one not found",
        "Error: inspecting object: one: image not known",
    ],
)
def test_what_has_gone_meanwhile_is_left_out(programs: Programs, said: str) -> None:
    script = f"[ $2 = inspect ] && {{ echo '[]'; echo '{said}' >&2; exit 125; }}\n{LISTED}"
    engine = _engine(programs, Podman, script)
    assert engine.volumes() == {}
    assert engine.image_id("one") is None
    assert engine.image_size("one") == 0


def test_an_engine_that_went_down_does_not_look_empty(programs: Programs) -> None:
    down = "echo '[]'; echo 'Cannot connect to the Docker daemon.' >&2; exit 1"
    engine = _engine(programs, Docker, f"[ $2 = inspect ] && {{ {down}; }}\n{LISTED}")
    with pytest.raises(CommandError, match="Cannot connect to the Docker daemon"):
        engine.containers()
    with pytest.raises(CommandError, match="Cannot connect to the Docker daemon"):
        engine.image_id("one")


def test_kind_uses_the_daemon_that_docker_uses(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/0/docker.sock")
    engine = _engine(programs, Docker, DOCKER)
    found = engine.kind_environment("net")
    assert found["DOCKER_HOST"] == "unix:///run/user/0/docker.sock"
    assert found["KIND_EXPERIMENTAL_PROVIDER"] == "docker"
    podmans = _engine(programs, Podman, PODMAN).kind_environment("net")
    assert "DOCKER_HOST" not in {**Shell().environment(), **podmans}
    assert podmans["KIND_EXPERIMENTAL_PODMAN_NETWORK"] == "net"


def test_only_a_pull_knows_of_proxies(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    log = programs.folder / "log"
    engine = _engine(programs, Podman, f'echo "$1 ${{HTTPS_PROXY:-none}}" >>{log}')
    engine.pull("example.com/image")
    engine.remove_containers(["one"])
    assert log.read_text().splitlines() == ["pull http://proxy.example", "rm none"]
