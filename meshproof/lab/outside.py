"""A client outside all clusters: it stands in the network of the router, which is of none."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from meshproof.lab.lab import Lab
from meshproof.process import Finished


@dataclass(frozen=True)
class OutsideClient:
    """Asks from the router's own network, which is no cluster's: nobody there has a certificate of
    a mesh, a service account, or a Service's name. ``program``: the probe, on this machine."""

    lab: Lab = field(repr=False)
    program: Path

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run the probe with these arguments, the first of which is its name.

        Raises CommandError when ``check`` and the exit code is not 0, CommandTimeoutError when it
        takes longer than ``timeout`` seconds, EngineError when the router does not run.
        """
        own = [str(self.program), *argv[1:]]
        router = self.lab.router.container
        return self.lab.engine.run_in_network(
            router, own, input=input, check=check, timeout=timeout
        )

    def __str__(self) -> str:
        return "a client outside all clusters"
