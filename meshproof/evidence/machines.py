"""What a machine outside Kubernetes says: its units, what its agent wrote, its network."""

from __future__ import annotations

from functools import partial

from meshproof.engine import Engine
from meshproof.evidence.source import Clock, Found, Piece, parts
from meshproof.lab.base import Lab
from meshproof.lab.machine import RunningMachine
from meshproof.mesh.machine_setup import CLUSTER_ENV, ERRORS, LOG, SERVER_UNIT, UNIT

_ASKED = (
    ("systemctl", "status", "--no-pager", "--full", UNIT, SERVER_UNIT),
    ("systemctl", "--failed", "--no-pager"),
    ("journalctl", "--no-pager", "-o", "short-iso", "-n", "60", "-u", UNIT, "-u", SERVER_UNIT),
    ("tail", "-n", "100", ERRORS),
    ("tail", "-n", "200", LOG),
    ("cat", CLUSTER_ENV),
    ("cat", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"),
    ("ip", "route"),
    ("ip", "address"),
    ("iptables-save", "-t", "nat"),
    ("pilot-agent", "request", "GET", "clusters"),
)


def machine_pieces(lab: Lab, engine: Engine, clock: Clock) -> list[Piece]:
    """A file for each machine. ``engine``: the one to ask, the lab's own may be called off."""
    return [
        Piece(f"42-{one.name}-machine.txt", partial(_said, one, engine, clock))
        for one in lab.machines.values()
    ]


def _said(machine: RunningMachine, engine: Engine, clock: Clock) -> Found:
    def ask(*argv: str) -> str:
        done = engine.exec(machine.container, argv, check=False, timeout=clock.left())
        return done.stdout + done.stderr

    return parts((" ".join(argv), partial(ask, *argv)) for argv in _ASKED)
