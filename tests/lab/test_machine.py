"""Machines of a lab: started, told their way, found astray, and named when they do not come up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from meshproof.engine import Container
from meshproof.engine.engine import RUN_LABEL
from meshproof.errors import EngineError, LabError
from meshproof.lab.machine import (
    RunningMachine,
    astray,
    lead,
    machine_container,
    revive,
    start_machine,
)
from meshproof.process import Finished
from tests.lab.fakes import FakeEngine

LAB, NAME = "0a1b2c3d", "mp-0a1b2c3d-shop-machine"


class Host(FakeEngine):
    """``states``: what systemd says of itself, one after the other; ``at``: the machine's
    address."""

    def __init__(self, *states: str, at: str = "172.30.0.9") -> None:
        super().__init__()
        self.states, self.at = list(states), at
        self.ran: list[tuple[tuple[str, ...], str]] = []
        self.commands: list[tuple[str, ...]] = []

    def command(self, *argv: str, **options: Any) -> Finished:
        self.commands.append(argv)
        return Finished(argv, 0, "Failed to mount cgroup\n" if argv[0] == "logs" else "", "", 0.0)

    def exec(self, container: str, argv: Sequence[str], **options: Any) -> Finished:
        assert container == NAME
        self.ran.append((tuple(argv), options.get("input") or ""))
        if argv[0] == "ip":
            infos = [{"addr_info": [{"local": self.at, "prefixlen": 24}]}]
            return Finished(tuple(argv), 0, json.dumps(infos), "", 0.0)
        if argv[0] == "systemctl" and not self.states:
            raise EngineError(f"container {NAME} does not run")
        said = self.states.pop(0) if argv[0] == "systemctl" else ""
        return Finished(tuple(argv), 0, said, "", 0.0)


def machine(host: Host) -> RunningMachine:
    return RunningMachine("shop", machine_container(LAB, "shop"), host)


def test_a_machine_is_started_with_the_labs_label_and_waited_for() -> None:
    host = Host("offline", "starting", "degraded")
    started = start_machine(host, LAB, "shop", "image", "mp-net")
    assert started.container == NAME
    assert started.address == IPv4Address("172.30.0.9")
    (begun,) = host.commands
    words = " ".join(begun)
    assert words.startswith(f"run -d --name {NAME} --privileged")
    assert f"--network mp-net --hostname shop --label {RUN_LABEL}={LAB} image" in words
    assert host.states == []


def test_a_machine_that_ends_as_it_starts_is_told_with_its_last_words() -> None:
    with pytest.raises(LabError, match=r"machine shop did not come up.*Failed to mount cgroup"):
        start_machine(Host("offline"), LAB, "shop", "image", "mp-net")


def test_the_router_is_a_machines_way_out_and_the_node_its_way_to_pods() -> None:
    host = Host()
    pods = {IPv4Network("10.10.0.0/24"): IPv4Address("172.30.0.2")}
    lead(machine(host), IPv4Address("172.30.0.254"), pods)
    ((argv, script),) = host.ran
    assert argv == ("sh", "-e")
    assert "ip route add default via 172.30.0.254\n" in script
    assert "route replace 10.10.0.0/24 via 172.30.0.2\n" in script
    assert "nameserver 192.0.2.1" in script


@pytest.mark.parametrize(
    ("running", "at", "found"),
    [(True, "172.30.0.9", False), (True, "172.30.0.8", True), (False, "172.30.0.9", True)],
)
def test_a_machine_is_astray_when_it_is_stopped_or_elsewhere(
    running: bool, at: str, found: bool
) -> None:
    host = Host(at=at)
    host.there = [Container(NAME, running, {})]
    assert astray(machine(host), IPv4Address("172.30.0.9")) is found


def test_a_machine_that_is_gone_is_named() -> None:
    with pytest.raises(LabError, match=f"container {NAME} is gone"):
        astray(machine(Host()), IPv4Address("172.30.0.9"))


def test_a_machine_comes_back_at_the_address_that_it_had() -> None:
    host = Host("running")
    revive(machine(host), "mp-net", IPv4Address("172.30.0.9"))
    done = [" ".join(one) for one in host.commands]
    assert done == [
        f"stop -t 10 {NAME}",
        f"network disconnect -f mp-net {NAME}",
        f"network connect --ip 172.30.0.9 mp-net {NAME}",
        f"start {NAME}",
    ]


def test_files_are_written_with_the_folders_that_they_are_in() -> None:
    host = Host()
    machine(host).write("/etc/istio/config/mesh", "a: b\n", "0600")
    ((argv, text),) = host.ran
    assert argv[:2] == ("sh", "-c")
    assert "mkdir -p /etc/istio/config && cat > /etc/istio/config/mesh" in argv[2]
    assert "chmod 0600 /etc/istio/config/mesh" in argv[2]
    assert text == "a: b\n"
