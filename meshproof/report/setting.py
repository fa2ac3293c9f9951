"""What a run was made with, in two lines: versions, machine, engine, artifacts and proxies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.events import Data, Event
from meshproof.telling import shown

_GIB = 2**30
_DIGITS = 12
"""Of a digest as many are told as tell two apart."""


def setting(events: Sequence[Event]) -> list[str]:
    """The lines; of a record that does not say so yet there are fewer, or none."""
    begin = next((one.data for one in events if one.kind == "run-begin"), None)
    made_of = next((one.data for one in events if one.kind == "artifacts"), None)
    lines = []
    if begin is not None:
        lines.append(f"meshproof {begin['meshproof']}{_on(begin['machine'])}")
    if begin is not None and made_of is not None:
        lines.append(_made_of(made_of, begin["deployments"]))
    return [shown(line, lines=False) for line in lines]


def _on(machine: Data) -> str:
    memory = machine["memory"] / _GIB
    words = f" on {machine['cores']} cores, {memory:.1f} GiB, Linux {machine['kernel']}"
    return f"{words}, {machine['distribution']}" if machine["distribution"] else words


def _made_of(artifacts: Data, deployments: Iterable[Data]) -> str:
    """Engine, Kubernetes and where the artifacts are from, with the proxy of each Istio."""
    kubernetes = ", ".join(dict.fromkeys(one["kubernetes"] for one in deployments))
    engine = f"{artifacts['engine']['name']} {artifacts['engine']['version']}"
    proxies = [f"Istio {istio} with {proxy}" for istio, proxy in artifacts["proxies"].items()]
    made = f"{artifacts['source']} ({artifacts['digest'][:_DIGITS]})"
    return "; ".join([engine, f"Kubernetes {kubernetes}", *proxies, f"artifacts: {made}"])
