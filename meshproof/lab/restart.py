"""Puts back what a restart took away: of this machine, or of a kept lab's containers.

A container that is started again has a new network namespace: routes, rules, the addresses of
LoadBalancer Services and the nodes' own addresses are gone, and on this machine the lab's rules,
if that was restarted. The nodes' addresses are in certificates, in remote secrets and in what
Kubernetes knows of its nodes, so each gets back the one that was written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import psutil

from meshproof.engine import Engine
from meshproof.errors import CancelledError, LabError, MeshproofError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import in_words, lab_errors
from meshproof.lab.machine import astray, revive
from meshproof.lab.network.rules import TABLE
from meshproof.lab.nodes import forget_router, introduce, lead_to_router, node_address
from meshproof.lab.ownership import Description
from meshproof.lab.wired import lead_machines
from meshproof.process import called_off, side_by_side
from meshproof.wait import eventually

if TYPE_CHECKING:
    from meshproof.lab.base import Lab

Addresses = Mapping[str, IPv4Address]
"""The nodes of a cluster, by container."""
_ENDED = ("Succeeded", "Failed")
_WITHIN = 300.0


class Nodes(Enum):
    """How a cluster's nodes are found."""

    AS_LEFT = "as they were left"
    BARE = "without rules and routes"
    ASTRAY = "stopped, or at other addresses"


def put_back(lab: Lab, about: Description) -> list[str]:
    """Put back what a restart has taken away of a kept lab, but for the rules of ``rewire``.

    ``about``: as it was left. Returns the clusters that have to be wired anew, and waited for with
    ``await_return``. Raises LabError, one sentence with the remedy, when it does not come back.
    """
    if not about.nodes:
        cause = f"lab {lab.id} was made by an older meshproof, which noted no nodes"
        raise LabError(cause, _remedy(lab))
    written = {
        name: {container: IPv4Address(text) for container, text in nodes.items()}
        for name, nodes in about.nodes.items()
    }
    with _comes_back(lab):
        found = {name: how_found(lab.engine, nodes) for name, nodes in written.items()}
        router_as_left = lab.router.adopt()
        _revive_machines(lab, about)
        hurt = [name for name, how in found.items() if how is not Nodes.AS_LEFT]
        if hurt:
            with lab.recorder.step("start anew what was stopped of the lab"):
                side_by_side(
                    lab.engine.shell, lambda name: _revive(lab, name, found, written), hurt
                )
        for addresses in lab.addresses.values():
            addresses.adopt()
            addresses.restore()
        if not router_as_left:
            for cluster in lab.clusters.values():
                forget_router(cluster)
    return hurt if router_as_left else list(lab.clusters)


def await_return(lab: Lab, names: Sequence[str]) -> None:
    """Wait until all pods of clusters whose nodes were started again are back.

    Raises LabError, one sentence with the remedy, when they do not come.
    """
    if not names:
        return
    with _comes_back(lab), lab.recorder.step("wait for what was stopped of the lab"):
        side_by_side(lab.engine.shell, lambda name: _await_pods(lab, lab.clusters[name]), names)


def restart_node(lab: Lab, name: str, container: str) -> None:
    """Stop a node of a cluster in good order, and start it again at its own address, wired as
    before; its pods have been started anew then, and are ready.

    Raises LabError, one sentence with the remedy, when it does not come back.
    """
    about = lab.claim.read()
    written = about.nodes.get(name, {}) if about is not None else {}
    if container not in written:
        raise LabError(f"nobody noted at which address node {container} of lab {lab.id} is")
    nodes = {one: IPv4Address(text) for one, text in written.items()}
    with _comes_back(lab):
        _start(lab, name, [container], nodes)
        lab.write_rules()  # to wire all anew would end what is open between clusters
    await_return(lab, [name])


def restart_machine(lab: Lab, name: str, address: IPv4Address) -> None:
    """Start a machine that has ended anew, at an address of its network that nobody else has, and
    let it reach, and be reached by, what it did before. Raises LabError, CommandError."""
    site = next(one for one in lab.footprint.machines if one.name == name)
    with lab.recorder.step(f"start machine {name} again"), lab_errors(f"start {name} again"):
        revive(lab.machines[name], lab.networks[site.beside], address)
        lead_machines(lab)
        lab.machines_moved()
        # Its link has another address than the one that those remember with whom it spoke.
        for cluster in lab.clusters.values():
            forget_router(cluster)
        lab.router.forget_neighbours()


def free_address(lab: Lab, machine: str) -> IPv4Address:
    """An address on a machine's network that nobody has there. Raises LabError when all are
    taken."""
    place = next(one.beside for one in lab.footprint.machines if one.name == machine)
    nodes = lab.clusters[place].nodes if place in lab.clusters else ()
    taken = {one.address for one in nodes}
    taken |= {lab.machines[one].address for one in lab.footprint.machines_at(place)}
    last_first = reversed(list(lab.subnets[place].containers.hosts()))
    found = next((one for one in last_first if one not in taken), None)
    if found is None:
        raise LabError(f"no address is left on the network of {machine}")
    return found


def how_found(engine: Engine, nodes: Addresses) -> Nodes:
    """How the nodes of a kept lab's cluster are now. ``nodes``: as they were written down.

    Raises LabError when one of them is no container any more.
    """
    running = {one.name: one.running for one in engine.containers()}
    gone = [name for name in nodes if name not in running]
    if gone:
        raise LabError(f"container {gone[0]} is gone")
    if any(not running[name] or node_address(engine, name) != nodes[name] for name in nodes):
        return Nodes.ASTRAY
    rules = ("nft", "list", "table", "ip", TABLE)
    kept = all(engine.exec(name, rules, check=False).returncode == 0 for name in nodes)
    return Nodes.AS_LEFT if kept else Nodes.BARE


def not_back(pods: Iterable[client.V1Pod], begun: Mapping[str, float]) -> str:
    """A pod that is not back, and why; "" when all are.

    ``begun``: when each node was started, in seconds since the epoch. Until kubelet has looked,
    Kubernetes believes of each pod that it runs as before: what counts is that its containers
    were started after their node.
    """
    for pod in pods:
        if pod.status.phase in _ENDED:
            continue
        name = f"pod {pod.metadata.namespace}/{pod.metadata.name}"
        if pod.metadata.deletion_timestamp is not None:
            return f"{name} is being removed"
        statuses = pod.status.container_statuses or []
        if not statuses:
            return f"{name} has not been started"
        for status in statuses:
            running = status.state.running
            if running is None or not status.ready:
                return f"{name}: {status.name} is not ready"
            # Kubernetes tells whole seconds.
            if running.started_at.timestamp() < int(begun.get(pod.spec.node_name, 0.0)):
                return f"{name}: {status.name} was not started again"
    return ""


def _revive(
    lab: Lab, name: str, found: Mapping[str, Nodes], written: Mapping[str, Addresses]
) -> None:
    """Start a cluster's nodes at the addresses that were written down, with names and routes."""
    nodes = written[name]
    _start(lab, name, list(nodes) if found[name] is Nodes.ASTRAY else [], nodes)


def _start(lab: Lab, name: str, stopped: Sequence[str], nodes: Addresses) -> None:
    """Start some of a cluster's nodes at their addresses, which may still run; and give all of them
    names and routes. ``nodes``: all of them."""
    engine, cluster = lab.engine, lab.clusters[name]
    if stopped:
        engine.stop(list(stopped))
        engine.fix_addresses(lab.networks[name], {one: nodes[one] for one in stopped})
        engine.start(list(stopped))
    if len(nodes) > 1:
        introduce(engine, nodes)
    eventually(
        lambda: refusal(cluster),
        until=lambda reason: not reason,
        fail_if=lambda _: called_off(engine.shell),
        what=f"the API server of {name}",
        within=_WITHIN,
        every=0.5,
    )
    if len(nodes) > 1:
        # Its pods have a copy of the names that were there when they were started.
        of_kube_proxy = {"label_selector": "k8s-app=kube-proxy"}
        cluster.core.delete_collection_namespaced_pod(
            "kube-system", grace_period_seconds=0, **of_kube_proxy
        )
    lead_to_router(cluster, lab.subnets[name])


def _revive_machines(lab: Lab, about: Description) -> None:
    """Start machines that were stopped, or are at other addresses, at those that they had."""
    written = {name: IPv4Address(text) for name, text in about.machines.items()}
    hurt = [one for name, one in lab.machines.items() if astray(one, written[name])]
    if hurt:
        with lab.recorder.step("start anew what was stopped of the machines"):
            for one in hurt:
                revive(one, lab.networks[about.sites[one.name]], written[one.name])


def _await_pods(lab: Lab, cluster: RunningCluster) -> None:
    begun = {
        node.container: psutil.Process(lab.engine.pid(node.container)).create_time()
        for node in cluster.nodes
    }
    eventually(
        lambda: refusal(cluster) or not_back(_pods(cluster), begun),
        until=lambda missing: not missing,
        fail_if=lambda _: called_off(lab.engine.shell),
        what=f"the return of cluster {cluster.name}",
        within=_WITHIN,
        every=0.5,
        recorder=lab.recorder,
    )


@contextmanager
def _comes_back(lab: Lab) -> Iterator[None]:
    """One sentence for what keeps a lab that was restarted from coming back."""
    try:
        with lab_errors("start it again"):
            yield
    except CancelledError:
        raise
    except MeshproofError as error:
        cause = f"lab {lab.id} was stopped or restarted, and does not come back: {error.cause}"
        raise LabError(cause, _remedy(lab)) from error


def _remedy(lab: Lab) -> str:
    return f"remove it with 'meshproof down {lab.id}'"


def refusal(cluster: RunningCluster) -> str:
    """Why the API server does not answer; "" when it does."""
    try:
        client.VersionApi(cluster.api).get_code(_request_timeout=5)
        cluster.core.list_node(_request_timeout=5)
    except (client.ApiException, client.HTTPError, OSError) as error:
        return in_words(error)
    return ""


def _pods(cluster: RunningCluster) -> list[client.V1Pod]:
    found: list[client.V1Pod] = cluster.core.list_pod_for_all_namespaces().items
    return found
