"""What a lab's clusters take of this machine's memory."""

from __future__ import annotations

import psutil

from meshproof.lab.lab import KindLab


def memory(lab: KindLab) -> float:
    """MiB of all programs on all nodes; pages that several share are shared out (PSS)."""
    total = 0
    for cluster in lab.clusters.values():
        for node in cluster.nodes:
            first = psutil.Process(lab.engine.pid(node.container))
            programs = [first, *first.children(recursive=True)]
            total += sum(_pss(program) for program in programs)
    return total / 2**20


def _pss(program: psutil.Process) -> int:
    try:
        return int(program.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0
