"""How much a proxy tells in its log, by the name of the logger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.errors import EvidenceError
from meshproof.kube.workload import Workload


@contextmanager
def logging_at(workload: Workload, logger: str, level: str) -> Iterator[None]:
    """One of the proxy's loggers has another level inside the block, and its own afterwards.

    Raises EvidenceError when the proxy has no such logger, or does not take the level.
    """
    own = _level(workload.admin("logging", "POST"), logger)
    try:
        if _level(workload.admin(f"logging?{logger}={level}", "POST"), logger) != level:
            raise EvidenceError(f"the proxy of {workload} does not log {logger} at {level}")
        yield
    finally:
        workload.admin(f"logging?{logger}={own}", "POST")


def _level(listing: str, logger: str) -> str:
    found = re.search(rf"^\s*{re.escape(logger)}: (\w+)$", listing, re.MULTILINE)
    if found is None:
        raise EvidenceError(f"the proxy has no logger '{logger}': {listing[:200]}")
    return found.group(1)
