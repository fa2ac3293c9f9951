"""Takes out of a recorded run what tells of the machine that it was made on: addresses of the lab's
networks, the lab's id, host names, paths, the kernel. What tells of the mesh stays.

The same thing becomes the same everywhere, so that what belongs together still does: a gateway's
address in an access log is the one that the record says is the gateway's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import PurePosixPath

POOLS = tuple(
    map(IPv4Network, ("172.16.0.0/12", "192.168.0.0/16", "10.213.0.0/16", "169.254.0.0/16"))
)
"""Where labs' networks and machines' own addresses are from (docs/lab.md, Pools). Pods and services
have others, which kind configurations say, and which are the same on every machine."""
_STAND_INS = ("192.0.2", "198.51.100", "203.0.113")
"""Networks that are documentation's (RFC 5737)."""
_ADDRESS = re.compile(r"(?<![\d.-])(\d{1,3})([.-])(\d{1,3})\2(\d{1,3})\2(\d{1,3})(?![\d-]|\.\d)")
_LAB = re.compile(r"\b(?:mp|meshproof)[-_]([0-9a-f]{8})\b")
_PATH = re.compile(
    r"(?<![\w./:<-])/(?:root|home|tmp|work|srv|opt|mnt|var/tmp|var/lib/containers|build)/[^\s\"'`,;:)\]<>\\]*"
)
_KERNEL = re.compile(r"""(?P<before>"kernel": ?"|\bLinux )(?P<line>\d+\.\d+)\.[-\w.+~]*""")
"""As a record says it, and as views do. Which line a kernel is of can matter."""


@dataclass
class Scrub:
    """Replaces in texts of one run or of several. ``words``: what else is to go, such as the
    machine's name."""

    words: Iterable[str] = ()
    networks: dict[str, str] = field(default_factory=dict)
    labs: dict[str, str] = field(default_factory=dict)

    def know(self, text: str) -> None:
        """Learn the ids of labs that a text names, to find them where they stand alone."""
        for one in _LAB.findall(text):
            self.labs.setdefault(one, f"{len(self.labs) + 1:08x}")

    def __call__(self, text: str) -> str:
        """The text without what tells of the machine."""
        self.know(text)
        text = _PATH.sub(lambda found: self._path(found[0]), text)
        text = _ADDRESS.sub(lambda found: self._address(found), text)
        text = _KERNEL.sub(r"\g<before>\g<line>", text)
        for lab, instead in self.labs.items():
            text = re.sub(rf"(?<![0-9a-f]){lab}(?![0-9a-f])", instead, text)
        for word in self.words:
            text = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w-])", "machine", text)
        return text

    @staticmethod
    def _path(path: str) -> str:
        """Its last part alone: which file it is can matter, where it lay does not."""
        return f"/…/{PurePosixPath(path).name}"

    def _address(self, found: re.Match[str]) -> str:
        a, mark, b, c, d = found.groups()
        try:
            address = IPv4Address(f"{a}.{b}.{c}.{d}")
        except ValueError:  # a version, a number of some other kind
            return found[0]
        if not any(address in pool for pool in POOLS):
            return found[0]
        instead = self._network(f"{a}.{b}.{c}")
        return mark.join([*instead.split("."), d])

    def _network(self, network: str) -> str:
        if network not in self.networks:
            at = len(self.networks)
            far = f"100.64.{at - len(_STAND_INS)}"  # shared address space (RFC 6598)
            self.networks[network] = _STAND_INS[at] if at < len(_STAND_INS) else far
        return self.networks[network]


def left_over(text: str, words: Iterable[str] = ()) -> list[str]:
    """What a text still says of a machine; for looking at what is about to be published."""
    found = [one[0] for one in _PATH.finditer(text)]
    for one in _ADDRESS.finditer(text):
        try:
            address = IPv4Address(".".join(one.group(1, 3, 4, 5)))
        except ValueError:
            continue
        if any(address in pool for pool in POOLS):
            found.append(one[0])
    found += [one[0] for one in _LAB.finditer(text) if not one[1].startswith("0000")]
    found += [one[0] for one in _KERNEL.finditer(text)]
    return found + [
        word for word in words if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)
    ]
