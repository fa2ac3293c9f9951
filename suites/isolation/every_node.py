"""What holds from every node of one cluster to every node of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from meshproof.errors import EvidenceError
from meshproof.expect import Outcome, Verdict, kept_out, reached
from meshproof.kube.workload import node_probe
from meshproof.lab import Lab
from meshproof.model import Pair
from meshproof.traffic import Attempt, Target, attempt
from meshproof.workloads import Echo
from meshproof.workloads.echo import LOW


def asked_from_everywhere(
    lab: Lab, echoes: Mapping[str, Sequence[Echo]], pair: Pair, patience: float
) -> list[Attempt]:
    """A question from the pod on each of the caller's nodes to the pod on each of the called
    cluster's, which is asked from inside that cluster as well.

    Raises EvidenceError when the clusters have one node each, of which this would prove nothing,
    or when a node has no pod.
    """
    for name in pair:
        nodes = {echo.pod.node.container for echo in echoes[name]}
        if len(nodes) < 2 or len(nodes) != lab.footprint[name].nodes:
            raise EvidenceError(
                f"{name} has pods on {len(nodes)} of {lab.footprint[name].nodes} nodes, and two "
                "at least are needed"
            )
    caller, called = pair
    control = node_probe(lab.clusters[called])
    return [
        attempt(lab, here.pod, _pod_of(there), control, patience=patience)
        for here, there in product(echoes[caller], echoes[called])
    ]


def every_node_is_reached(attempts: Sequence[Attempt]) -> Verdict:
    """From every node pods on every node are reached, and see the caller's own address; else the
    ways that are not there are named by their nodes."""
    return _from_everywhere(
        attempts, lambda one: reached(one, "pod", answer=f"{one.called} hears {one.caller.address}")
    )


def no_node_is_reached(attempts: Sequence[Attempt]) -> Verdict:
    """From no node a pod on any node is reached; else the ways that are open are named."""
    return _from_everywhere(attempts, kept_out)


def _from_everywhere(attempts: Sequence[Attempt], claim: Callable[[Attempt], Verdict]) -> Verdict:
    expected = f"the same of all {len(attempts)} ways between nodes"
    verdicts = [(one, claim(one)) for one in attempts]
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE):
        found = [(one, said) for one, said in verdicts if said.outcome is outcome]
        if found:
            ways = "; ".join(f"from {_node(one)} to {one.target}: {v.observed}" for one, v in found)
            first = found[0][1]
            return Verdict(outcome, f"{first.expected}, and {expected}", ways, first.evidence)
    if not verdicts:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing was asked")
    evidence = {
        f"from {_node(one)} to {one.target}": f"{said.observed}; inside: {one.control}"
        for one, said in verdicts
    }
    return Verdict(
        Outcome.PASS, f"{verdicts[0][1].expected}, and {expected}", "all of it", evidence
    )


def _pod_of(echo: Echo) -> Target:
    return Target(f"the pod on {echo.pod.node.container}", echo.pod.address, LOW)


def _node(one: Attempt) -> str:
    return one.caller.node.container
