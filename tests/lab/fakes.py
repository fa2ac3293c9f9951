"""A machine that exists in memory alone: an engine that lists what it is told, and notes what it
is asked to remove; a shell that answers what it is told to, and starts nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from meshproof.engine import Container, Network
from meshproof.engine.engine import RUN_LABEL, STATE_LABEL
from meshproof.engine.podman import Podman
from meshproof.events import Event, Recorder
from meshproof.process import Finished, Shell

NO_TABLES = '{"nftables": []}'


@dataclass
class FakeShell(Shell):
    """``answers``: what programs print, by the beginning of their command line.

    All else prints nothing and ends well; nft has no tables. ``ran``: the command lines, in order.
    """

    answers: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    ran: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        words = tuple(argv)
        self.ran.append(words)
        default = NO_TABLES if words[:2] == ("nft", "-j") else ""
        beginnings = [words[:length] for length in range(len(words), 0, -1)]
        said = next((self.answers[one] for one in beginnings if one in self.answers), default)
        if words[:2] == ("nft", "delete"):
            return Finished(words, 1, "", "Error: No such file or directory\n", 0.0)
        return Finished(words, 0, said, "", 0.0)


class FakeEngine(Podman):
    """Starts out empty. ``events``: what was recorded of it."""

    def __init__(self, answers: Mapping[tuple[str, ...], str] | None = None) -> None:
        self.events: list[Event] = []
        self.fake = FakeShell(Recorder(listeners=[self.events.append]), answers=answers or {})
        super().__init__(self.fake)
        self.there: list[Container] = []
        self.nets: list[Network] = []
        self.stores: dict[str, dict[str, str]] = {}
        self.images: dict[str, str] = {}
        self.in_use: set[str] = set()

    def containers(self) -> list[Container]:
        return list(self.there)

    def networks(self) -> list[Network]:
        return list(self.nets)

    def volumes(self) -> dict[str, Mapping[str, str]]:
        return dict(self.stores)

    def image_id(self, reference: str) -> str | None:
        return self.images.get(reference)

    def image_size(self, reference: str) -> int:
        return 0

    def remove_containers(self, names: Sequence[str]) -> None:
        self.there = [one for one in self.there if one.name not in names]

    def remove_network(self, name: str) -> None:
        self.nets = [one for one in self.nets if one.name != name]

    def remove_volumes(self, names: Sequence[str]) -> None:
        self.stores = {name: labels for name, labels in self.stores.items() if name not in names}

    def remove_image(self, reference: str) -> bool:
        if reference in self.in_use:
            return False
        self.images.pop(reference, None)
        return True

    def names(self) -> list[str]:
        """All that is there, by name."""
        return sorted(
            [one.name for one in self.there]
            + [one.name for one in self.nets]
            + [*self.stores, *self.images]
        )

    def removed(self) -> list[str]:
        """What the record says went."""
        return [
            name for event in self.events if event.kind == "removed" for name in event.data["what"]
        ]


def network(name: str, lab_id: str, state: object, subnet: str = "172.30.0.0/24") -> Network:
    """A lab's network, made with a state folder."""
    labels = {RUN_LABEL: lab_id, STATE_LABEL: str(state)}
    return Network(name, "podman7", (IPv4Network(subnet),), labels)
