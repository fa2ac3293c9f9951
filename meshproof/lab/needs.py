"""What a lab starts on this machine, looked for before anything is made."""

from __future__ import annotations

from meshproof.engine import Engine
from meshproof.environment import find_program
from meshproof.errors import LabError

# What makes and seals networks, enters containers, and ends programs with their parent.
_PROGRAMS = ("ip", "nft", "nsenter", "setpriv")


def check_programs(engine: Engine) -> None:
    """Raise LabError, naming all of them, when programs that a lab starts are missing."""
    missing = [program for program in _PROGRAMS if find_program(program) is None]
    if find_program("iptables") is None and _needs_iptables(engine):
        missing.append("iptables")
    if missing:
        are = "are" if len(missing) > 1 else "is"
        raise LabError(
            f"{' and '.join(missing)} {are} not on this machine, or not on the PATH",
            "run 'meshproof doctor --fix'",
        )


def _needs_iptables(engine: Engine) -> bool:
    """podman makes networks with iptables until version 5 (netavark 1.11); docker says itself."""
    return engine.name == "podman" and engine.version().partition(".")[0] in ("3", "4")
