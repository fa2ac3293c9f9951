"""What is broken between clusters: the router's rules, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError
from meshproof.faults.between import delayed, lossy, partitioned, reset_connections, thin
from meshproof.lab.base import Lab
from meshproof.model import Flow, isolated
from meshproof.process import Finished

PAIR = ("east", "west")


class PlayedRouter:
    """Keeps what it is told to, table by table and device by device."""

    def __init__(self, refuses: str = "") -> None:
        self.tables: dict[str, list[str]] = {}
        self.shapes: dict[str, str] = {}
        self.ended = 0
        self.refuses = refuses

    def exec(
        self, container: str, argv: Sequence[str], input: str | None = None, check: bool = True
    ) -> Finished:
        assert container == "router"
        code = 0
        if argv[:2] == ("nft", "-f"):
            lines = (input or "").splitlines()
            table = lines[0].split()[-1]
            self.tables[table] = [line for line in lines if line.startswith("add rule")]
        elif list(argv[:3]) == ["nft", "delete", "table"]:
            del self.tables[argv[-1]]
        elif list(argv[:3]) == ["nft", "list", "table"]:
            code = 0 if argv[-1] in self.tables else 1
        elif argv[2] == "add":
            code = 2 if self.refuses in argv and self.refuses else 0
            if not code:
                self.shapes[argv[4]] = " ".join(argv[6:])
        else:
            del self.shapes[argv[4]]
        return Finished(tuple(argv), code, "", f"Specified qdisc kind is unknown: {argv[-3]}", 0.0)

    def end_flows(self) -> None:
        self.ended += 1


def lab_of(router: PlayedRouter) -> Lab:
    devices = {"east": "eth0", "west": "eth1"}
    made = SimpleNamespace(container="router", devices=devices, end_flows=router.end_flows)
    lab: Any = SimpleNamespace(
        id="01234567", engine=router, router=made, clusters=devices, wiring=isolated()
    )
    return cast(Lab, lab)


def rules(router: PlayedRouter) -> list[str]:
    found = [line for lines in router.tables.values() for line in lines]
    return [line.partition(" forward ")[2] for line in found]


def test_a_partition_in_both_directions_and_its_end() -> None:
    router = PlayedRouter()
    with partitioned(lab_of(router), [PAIR, PAIR[::-1]]):
        assert rules(router) == [
            'iifname "eth0" oifname "eth1" counter drop',
            'iifname "eth1" oifname "eth0" counter drop',
        ]
    assert router.tables == {}


@pytest.mark.parametrize(
    ("flow", "words"),
    [
        (Flow.API, ["tcp dport { 6443 }", "tcp sport { 6443 }"]),
        (Flow.GATEWAY, ["tcp dport { 15443, 15012,", "tcp sport { 15443, 15012,"]),
        (Flow.POD, ["tcp dport != { 6443, 15443,"]),
    ],
)
def test_a_kind_of_flow_alone(flow: Flow, words: list[str]) -> None:
    router = PlayedRouter()
    with partitioned(lab_of(router), [PAIR], [flow]):
        found = rules(router)
        assert len(found) == len(words)
        for rule, part in zip(found, words, strict=True):
            assert rule.startswith(f'iifname "eth0" oifname "eth1" {part}')
            assert rule.endswith("counter drop")


def test_several_faults_end_one_by_one() -> None:
    router = PlayedRouter()
    with lossy(lab_of(router), PAIR, 2.5):
        with partitioned(lab_of(router), [PAIR]):
            assert len(router.tables) == 2
        assert rules(router) == [
            'iifname "eth0" oifname "eth1" numgen random mod 10000 < 250 counter drop'
        ]
    assert router.tables == {}


def test_what_is_broken_is_healed_whatever_happens_meanwhile() -> None:
    router = PlayedRouter()
    with pytest.raises(RuntimeError, match="meanwhile"), thin(lab_of(router), "west", 500):
        assert router.shapes == {"eth1": "tbf rate 500kbit burst 16kb latency 400ms"}
        raise RuntimeError("meanwhile")
    assert router.shapes == {}


def test_a_kernel_that_cannot_delay_is_named() -> None:
    with (
        pytest.raises(LabError, match="kernel has no netem") as told,
        delayed(lab_of(PlayedRouter("netem")), "west", 50),
    ):
        pytest.fail("it was not delayed")
    assert "NET_SCH_NETEM" in str(told.value)


def test_clusters_and_parts_that_there_are_not() -> None:
    lab = lab_of(PlayedRouter())
    for broken in (
        partitioned(lab, [("east", "north")]),
        thin(lab, "north", 5),
        lossy(lab, PAIR, 0),
        lossy(lab, PAIR, 101),
    ):
        with pytest.raises(LabError), broken:
            pytest.fail("it was broken")


def test_open_connections_are_reset() -> None:
    router = PlayedRouter()
    reset_connections(lab_of(router))
    assert router.ended == 1
