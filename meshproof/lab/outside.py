"""Who is outside all clusters: a client and a server in the network of the router, which is of
none."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from meshproof.lab.base import Lab
from meshproof.lab.network.router import OWN_ADDRESS
from meshproof.process import Finished

_PLACE = "/usr/local/bin/server-outside"


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


@contextmanager
def server_outside(
    lab: Lab, program: Path, environment: Mapping[str, str]
) -> Iterator[IPv4Address]:
    """A server runs outside all clusters inside the block, on the router itself, which pods of each
    cluster reach by their node's default route; yields its address. That it listens is to be waited
    for.

    ``program``: on this machine, of no libraries; ``environment``: what it finds. It ends with the
    router at the latest. Raises CommandError or EngineError when the router will not have it.
    """
    engine, router = lab.engine, lab.router.container
    engine.copy_in(program, router, _PLACE)
    told = shlex.join(f"{name}={value}" for name, value in environment.items())
    start = f"env {told} {_PLACE} </dev/null >/dev/null 2>&1 & echo $!"
    number = int(engine.exec(router, ["sh", "-c", start]).stdout)
    try:
        yield OWN_ADDRESS
    finally:
        engine.exec(router, ["sh", "-c", f"kill {number}; rm {_PLACE}"], check=False)
