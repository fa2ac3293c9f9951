"""Clusters and pods that exist in memory alone, and ask a world what they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Protocol, cast

from meshproof.engine import Engine
from meshproof.kube import Node, RunningCluster
from meshproof.kube.workload import PROXY, PodWorkload
from meshproof.model import Cluster
from meshproof.process import Finished
from meshproof.workloads.machine import MachineWorkload


class Player(Protocol):
    """Answers for pods and nodes; what it does not know is an error of the test."""

    def run(self, pod: PlayedPod, argv: Sequence[str], input: str | None) -> Finished: ...

    def admin(self, pod: PlayedPod, path: str, method: str) -> str: ...

    def log(self, pod: PlayedPod, container: str, options: dict[str, Any]) -> str: ...

    def on_node(self, cluster: PlayedCluster, argv: Sequence[str]) -> Finished: ...


class PlayedCluster(RunningCluster):
    """One node, and an API that a test gives it (``core``)."""

    def __init__(self, spec: Cluster, number: int, player: Player) -> None:
        super().__init__(spec, Path("nowhere"), cast(Engine, None))
        address = IPv4Address(f"172.30.{number}.2")
        self.nodes = (Node(f"{spec.name}-control-plane", address, spec.pods, control_plane=True),)
        self.player = player

    def on_node(
        self,
        node: Node,
        *argv: str,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> Finished:
        return self.player.on_node(self, argv)


@dataclass(frozen=True)
class PlayedPod(PodWorkload):
    """A pod whose programs, proxy and logs are the player's."""

    player: Player = field(kw_only=True, repr=False, compare=False)

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        return self.player.run(self, argv, input)

    def admin(self, path: str, method: str = "GET") -> str:
        return self.player.admin(self, path, method)

    def log(self, container: str = PROXY, **options: Any) -> str:
        return self.player.log(self, container, options)

    def __str__(self) -> str:
        return f"{self.name} of {self.cluster} ({self.address})"


@dataclass(frozen=True)
class PlayedMachine(MachineWorkload):
    """A machine whose programs, proxy and logs are the player's. ``where``: its address."""

    where: IPv4Address = field(kw_only=True)
    player: Player = field(kw_only=True, repr=False, compare=False)

    @property
    def address(self) -> IPv4Address:
        return self.where

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        return self.player.run(cast(PlayedPod, self), argv, input)

    def admin(self, path: str, method: str = "GET") -> str:
        return self.player.admin(cast(PlayedPod, self), path, method)

    def log(self, *, tail_lines: int) -> str:
        return self.player.log(cast(PlayedPod, self), PROXY, {"tail_lines": tail_lines})

    def agent_log(self) -> str:
        return self.player.log(cast(PlayedPod, self), PROXY, {})


def ended(printed: str, code: int = 0, complained: str = "") -> Finished:
    """A program that has ended."""
    return Finished((), code, printed, complained, 0.0)
