"""Two pods in two clusters that have the same address."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.errors import EvidenceError
from meshproof.lab import Lab
from meshproof.run.labs import Labs
from meshproof.workloads import Echo

_MOST = 8


@dataclass(frozen=True)
class Twin:
    """One cluster's pod with the shared address, and another pod of the cluster to call it."""

    caller: Echo
    target: Echo


def find_twins(labs: Labs, lab: Lab) -> dict[str, Twin]:
    """A twin for each cluster; all targets have one address.

    Nodes hand out addresses in ascending order, so pods are added to whichever cluster lags
    behind until an address is found in both. Raises EvidenceError when none is.
    """
    echoes = {name: [labs.echo(lab, name, "echo")] for name in lab.clusters}
    for number in range(_MOST):
        found = {name: {echo.pod.address: echo for echo in echoes[name]} for name in echoes}
        common = set.intersection(*(set(by_address) for by_address in found.values()))
        for address in sorted(common):
            others = {n: [e for a, e in found[n].items() if a != address] for n in found}
            if all(others.values()):
                return {n: Twin(others[n][0], found[n][address]) for n in found}
        for name in _behind(echoes):
            echoes[name].append(labs.echo(lab, name, f"echo-{number}"))
    raise EvidenceError(f"no address came to exist in all of {', '.join(echoes)}")


def _behind(echoes: dict[str, list[Echo]]) -> list[str]:
    """The clusters whose newest pod has the lowest address; all, when they are level."""
    newest = {name: found[-1].pod.address for name, found in echoes.items()}
    return [name for name, address in newest.items() if address == min(newest.values())]
