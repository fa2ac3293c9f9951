"""The machine that a run is made on, in words and figures for its record."""

from __future__ import annotations

import os
import platform

import psutil

from meshproof.events import Data


def described_machine() -> Data:
    """Cores that may be used, bytes of memory, kernel and distribution as they name themselves,
    architecture and Python."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "distribution": _distribution(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


def _distribution() -> str:
    """What /etc/os-release calls it; "" where there is none."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""
