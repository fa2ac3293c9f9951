"""Stops the nodes of a cluster, and starts them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.errors import LabError
from meshproof.lab.base import Lab
from meshproof.lab.restart import await_return, put_back


@contextmanager
def nodes_stopped(lab: Lab, cluster: str) -> Iterator[None]:
    """Every node of a cluster is stopped inside the block, at once and without warning, as by a
    power failure; afterwards they run again at their own addresses, wired as before, and every pod
    was started anew and is ready. Pods have other addresses then.

    Raises LabError when the lab does not come back.
    """
    about = lab.claim.read()
    if about is None or cluster not in about.nodes:
        raise LabError(f"nobody noted which nodes cluster '{cluster}' of lab {lab.id} has")
    try:
        lab.engine.command("kill", *about.nodes[cluster])
        yield
    finally:
        hurt = put_back(lab, about)
        lab.rewire(lab.wiring)
        await_return(lab, hurt)
