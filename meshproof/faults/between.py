"""Breaks what passes between clusters, in the router, by rules beside the lab's own: they hold
whatever the lab does to its own rules meanwhile, and several may be in force at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from meshproof.errors import LabError
from meshproof.kube.workload import Workload, node_probe
from meshproof.lab.base import Lab
from meshproof.model import Flow, Pair
from meshproof.traffic.probe import PATIENT, Target, probe

_PORTS = {Flow.API: (6443,), Flow.GATEWAY: None}
_API = 6443


@contextmanager
def partitioned(
    lab: Lab, pairs: Sequence[Pair], flows: Sequence[Flow] = (Flow.ANYTHING,)
) -> Iterator[None]:
    """Nothing of these kinds of flow passes from the first cluster of a pair to the second inside
    the block, not even what answers; open connections hear nothing more. Give both orders for a
    partition in both directions, one for a way that is lost alone.

    In force at once. Raises LabError when the router refuses.
    """
    statements = [
        f"{_between(lab, pair)} {words}counter drop"
        for pair in pairs
        for flow in flows
        for words in _of_flow(lab, flow)
    ]
    with _ruled(lab, statements):
        yield


@contextmanager
def lossy(lab: Lab, pair: Pair, percent: float) -> Iterator[None]:
    """So many packets of a hundred that the first cluster sends the second are lost inside the
    block, by chance. In force at once. Raises LabError as ``partitioned``."""
    if not 0 < percent <= 100:
        raise LabError(f"{percent:g} of a hundred packets cannot be lost", "name 1 to 100")
    # nft draws whole numbers.
    drawn = f"numgen random mod 10000 < {round(percent * 100)}"
    with _ruled(lab, [f"{_between(lab, pair)} {drawn} counter drop"]):
        yield


@contextmanager
def thin(lab: Lab, cluster: str, kbit: int) -> Iterator[None]:
    """No more than so many kbit a second get into a cluster from others inside the block; what is
    more waits, and is dropped after a while. In force at once. Raises LabError as
    ``partitioned``."""
    shape = ("tbf", "rate", f"{kbit}kbit", "burst", "16kb", "latency", "400ms")
    with _shaped(lab, cluster, shape):
        yield


@contextmanager
def delayed(lab: Lab, cluster: str, milliseconds: int) -> Iterator[None]:
    """What others send into a cluster gets there so much later inside the block. In force at once.

    Raises LabError, with the remedy, where the kernel cannot do that (NET_SCH_NETEM).
    """
    try:
        with _shaped(lab, cluster, ("netem", "delay", f"{milliseconds}ms")):
            yield
    except LabError as error:
        if "netem" in str(error) or "qdisc" in str(error):
            cause = "this machine's kernel has no netem, so nothing can be delayed"
            raise LabError(cause, "boot a kernel that has it (NET_SCH_NETEM)") from error
        raise


def reset_connections(lab: Lab) -> None:
    """Reset what is open between clusters: whoever goes on with a connection is answered with a
    reset, once for each. In force at once, and nothing to be healed. Raises LabError."""
    lab.router.end_flows()


def passes(lab: Lab, pair: Pair) -> bool:
    """Whether a node of the first cluster gets an answer from the API server of the second, as it
    should whatever the wiring. Raises EvidenceError when it cannot be asked."""
    return _answers(node_probe(lab.clusters[pair[0]]), lab, pair[1])


def _answers(asker: Workload, lab: Lab, cluster: str) -> bool:
    there = lab.clusters[cluster].control_plane.address
    answer = probe(asker, Target(f"the API server of {cluster}", there, _API), PATIENT)
    return answer.refusal is None


def _between(lab: Lab, pair: Pair) -> str:
    devices = lab.router.devices
    for name in pair:
        if name not in devices:
            raise LabError(f"there is no cluster '{name}' here", f"name {' or '.join(devices)}")
    return f'iifname "{devices[pair[0]]}" oifname "{devices[pair[1]]}"'


def _of_flow(lab: Lab, flow: Flow) -> Iterator[str]:
    """The words that match a kind of flow, in the direction of whoever opened it, and of the
    answers."""
    ports = {Flow.API: (_API,), Flow.GATEWAY: lab.wiring.gateway_ports}
    if flow is Flow.ANYTHING:
        yield ""
    elif flow in ports:
        listed = ", ".join(map(str, ports[flow]))
        yield f"tcp dport {{ {listed} }} "
        yield f"tcp sport {{ {listed} }} "
    else:
        # Pods are called at any port but those.
        listed = ", ".join(map(str, (*ports[Flow.API], *ports[Flow.GATEWAY])))
        yield f"tcp dport != {{ {listed} }} tcp sport != {{ {listed} }} "


@contextmanager
def _ruled(lab: Lab, statements: Sequence[str]) -> Iterator[None]:
    """Statements hold in a table of the router's own, before those of the lab."""
    table = f"fault_{secrets.token_hex(3)}"
    lines = [
        f"add table inet {table}",
        f"add chain inet {table} forward {{ type filter hook forward priority -10; }}",
        *(f"add rule inet {table} forward {one}" for one in statements),
    ]
    _on_router(lab, "nft", "-f", "-", input="".join(f"{one}\n" for one in lines))
    try:
        yield
    finally:
        _on_router(lab, "nft", "delete", "table", "inet", table)
        left = lab.engine.exec(
            lab.router.container, ["nft", "list", "table", "inet", table], check=False
        )
        if left.returncode == 0:
            raise LabError(f"the router of lab {lab.id} has kept the rules of a fault ({table})")


@contextmanager
def _shaped(lab: Lab, cluster: str, shape: Sequence[str]) -> Iterator[None]:
    """What the router sends into a cluster is queued so."""
    device = lab.router.devices.get(cluster)
    if device is None:
        names = " or ".join(lab.router.devices)
        raise LabError(f"there is no cluster '{cluster}' here", f"name {names}")
    _on_router(lab, "tc", "qdisc", "add", "dev", device, "root", *shape)
    try:
        yield
    finally:
        _on_router(lab, "tc", "qdisc", "delete", "dev", device, "root")


def _on_router(lab: Lab, *argv: str, input: str | None = None) -> None:
    done = lab.engine.exec(lab.router.container, argv, input=input, check=False)
    if done.returncode != 0:
        raise LabError(f"the router of lab {lab.id} refuses: {done.stderr.strip()[-200:]}")
