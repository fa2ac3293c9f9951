"""HTTP calls as they are made of a world in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from meshproof.kube.asking import Question
from tests.doubles.played import PlayedPod


@dataclass(frozen=True)
class Call:
    """A call as it was made; ``number``: the how-manieth of its caller."""

    caller: PlayedPod
    id: str
    url: str
    headers: Mapping[str, str]
    number: int
    method: str = "GET"

    @property
    def host(self) -> str:
        """Who is called: a name, or an address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> str:
        return urlsplit(self.url).query

    @property
    def address(self) -> IPv4Address | None:
        """The address that is called; None where it is a name."""
        try:
            return IPv4Address(self.host)
        except AddressValueError:
            return None


def call_of(asked: Question, caller: PlayedPod, number: int) -> Call:
    """The call that a question is."""
    assert asked.kind in ("http", "grpc"), f"nobody plays {asked}"
    identity = asked.headers["x-request-id"]
    return Call(caller, identity, asked.url, asked.headers, number, asked.method)
