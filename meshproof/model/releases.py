"""Which Istio version runs in which cluster, as the command line says it. Data, no I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meshproof.errors import ModelError
from meshproof.model.topology import Topology
from meshproof.model.versions import Version

_WRITE = "write a version as in 1.31.1, or clusters as in east=1.31.0,west=1.31.1"


@dataclass(frozen=True, slots=True)
class Releases:
    """One Istio version for all clusters but those that ``by_cluster`` gives another."""

    elsewhere: Version
    by_cluster: tuple[tuple[str, Version], ...] = ()

    @classmethod
    def parse(
        cls, text: str, newest: Version, version: Callable[[str], Version] = Version.parse
    ) -> Releases:
        """Read "1.31.1" or "east=1.31.0,west=1.31.1"; clusters not named then get ``newest``.

        ``version`` reads a single version. Raises ModelError for anything else, and what
        ``version`` raises.
        """
        if "=" not in text:
            return cls(version(text))
        found: dict[str, Version] = {}
        for word in text.split(","):
            name, equals, said = (part.strip() for part in word.partition("="))
            if not (name and equals and said):
                raise ModelError(f"'{text}' does not say which Istio runs where", _WRITE)
            if name in found:
                raise ModelError(f"'{text}' names cluster {name} twice", _WRITE)
            found[name] = version(said)
        return cls(newest, tuple(found.items()))

    def on(self, topology: Topology) -> dict[str, Version]:
        """The version in each cluster of a topology."""
        named = dict(self.by_cluster)
        return {name: named.get(name, self.elsewhere) for name in topology.names}
