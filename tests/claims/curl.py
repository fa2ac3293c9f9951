"""curl as calls use it: reads a configuration of many calls, prints what came of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import urlsplit

from tests.claims.played import PlayedPod

_HEADER = re.compile(r'^header = "([^:]+): (.*)"$', re.MULTILINE)
_URL = re.compile(r'^url = "(.*)"$', re.MULTILINE)
_METHOD = re.compile(r'^request = "(.*)"$', re.MULTILINE)
_SHOWN = re.compile(r'^write-out = "(.*)"$', re.MULTILINE)


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


@dataclass(frozen=True)
class Printed:
    """What curl tells of a call. ``exit``: its code, with ``said`` when it is not 0."""

    status: int = 0
    body: str = ""
    exit: int = 0
    said: str = ""
    source: str = "10.10.0.9:40000"
    seconds: float = 0.01


def calls_in(config: str, caller: PlayedPod, number: Callable[[], int]) -> list[tuple[Call, str]]:
    """Each call of a configuration, and what curl is to print after it."""
    found = []
    for block in config.split("\nnext\n"):
        url, shown = _URL.search(block), _SHOWN.search(block)
        assert url is not None
        assert shown is not None
        headers = dict(_HEADER.findall(block))
        method = _METHOD.search(block)
        told = (url.group(1), headers, number(), method.group(1) if method else "GET")
        call = Call(caller, headers["x-request-id"], *told)
        found.append((call, shown.group(1)))
    return found


def printed(shown: str, came: Printed) -> str:
    """The body, then what was to be written out after it."""
    address, _, port = came.source.rpartition(":")
    values = {
        "http_code": f"{came.status:03}",
        "exitcode": str(came.exit),
        "time_total": f"{came.seconds:.3f}",
        "local_ip": address,
        "local_port": port,
        "errormsg": came.said,
    }
    text = shown.replace('\\"', '"').replace("\\n", "\n")
    for name, value in values.items():
        text = text.replace(f"%{{{name}}}", value)
    return f"{came.body}{text}"
