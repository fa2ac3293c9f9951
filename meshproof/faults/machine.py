"""Ends a machine outside Kubernetes, and starts it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.lab.base import Lab
from meshproof.lab.restart import restart_machine


@contextmanager
def machine_killed(lab: Lab, name: str, then: IPv4Address) -> Iterator[None]:
    """All that runs on a machine ends at once and without warning, as by a power failure, and does
    not run inside the block; afterwards it was started again at the address ``then``, which may be
    another than it had. What lay in its /run is gone, as after any restart.

    Raises CommandError, and LabError when it does not come up.
    """
    lab.engine.command("kill", lab.machines[name].container)
    try:
        yield
    finally:
        restart_machine(lab, name, then)
