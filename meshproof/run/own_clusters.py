"""What a request says of clusters of one's own: which they are, that they may be changed, and what
of a run cannot be with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from meshproof.artifacts.images import WORKLOAD
from meshproof.errors import UsageError
from meshproof.files import check_all_named, read_own_clusters
from meshproof.model import InstalledBy, RunRequest, Topology
from meshproof.model.own_cluster import OwnCluster, OwnClusters, listed
from meshproof.model.request import has_own_clusters

Ask = Callable[[str], str]
"""Puts a question to whoever sits there, and gives the answer."""


def clusters_of(request: RunRequest, topologies: Sequence[Topology]) -> OwnClusters | None:
    """The clusters of one's own that a request names; None where it names none.

    Whether they may be changed was agreed to by --yes alone. Raises UsageError for what cannot be.
    """
    if not has_own_clusters(request):
        _check_idle(request)
        return None
    _check_excluded(request)
    if not topologies:
        raise UsageError(
            "which topology your clusters are to be is not said",
            "name it, as in 'meshproof verify multi-primary-flat --cluster …'",
        )
    own = read_own_clusters(request.cluster, request.cluster_file)
    check_all_named(own, {one.name: one.names for one in topologies})
    for one in topologies:
        _check_topology(one)
    images = {WORKLOAD: request.workload_images} if request.workload_images else {}
    if request.yes is not None:
        _check_yes(own, request.yes)
    return OwnClusters(own, images, consented=request.yes is not None)


def consent(own: Sequence[OwnCluster], ask: Ask | None) -> str:
    """What --yes would have to say, once whoever is asked has agreed: to each cluster that smells
    of production by its context's name, in addition. ``ask``: None where nobody sits there. Raises
    UsageError where they do not agree, or cannot be asked."""
    names = ",".join(_wanted(own))
    if ask is None:
        raise UsageError(
            "a mesh would be installed in clusters of yours, and nobody is here to be asked",
            f"add '--yes {names}'",
        )
    what = f"Istio and workloads are installed, and removed again, in\n{listed(own)}"
    if ask(f"{what}\nType 'yes' to go on: ").strip() != "yes":
        raise UsageError("nothing was changed, as you did not say yes")
    for one in own:
        if one.smells_of_production:
            said = ask(f"{one} may be of production. Type the name of its context to go on: ")
            if said.strip() != one.context:
                raise UsageError(f"nothing was changed, as {one.name}'s context was not named")
    return names


def _wanted(own: Sequence[OwnCluster]) -> list[str]:
    twice = [one.context for one in own if one.smells_of_production]
    return list(dict.fromkeys([*(one.name for one in own), *twice]))


def _check_yes(own: Sequence[OwnCluster], yes: str) -> None:
    said = {word.strip() for word in yes.split(",")}
    for one in own:
        if one.name not in said:
            raise UsageError(
                f"--yes names {yes}, and {one} would be changed as well",
                f"write '--yes {','.join(_wanted(own))}'",
            )
        if one.smells_of_production and one.context not in said:
            raise UsageError(
                f"{one} may be of production, by its names, and --yes does not name its context",
                f"write '--yes {','.join(_wanted(own))}', if that is what you want",
            )


def _check_idle(request: RunRequest) -> None:
    given = {"--yes": request.yes, "--workload-images": request.workload_images}
    said = [option for option, value in given.items() if value is not None]
    if said:
        raise UsageError(
            f"{said[0]} is about clusters of your own, and none is named",
            "add '--cluster NAME=FILE:CONTEXT', or leave it out",
        )


def _check_excluded(request: RunRequest) -> None:
    """What is about labs that are made here, or kept."""
    given = {
        "--keep": request.keep,
        "--reuse": request.reuse is not None,
        "--pool": request.pool is not None,
        "--upgrade-to": request.upgrade_to is not None,
        "--mutants": request.mutants,
        "--sabotage": request.sabotage,
        "--installer helm": request.installer == InstalledBy.HELM,
    }
    said = next((option for option, is_given in given.items() if is_given), None)
    if said is not None:
        raise UsageError(f"{said} is not for clusters of your own", "leave it out")


def _check_topology(topology: Topology) -> None:
    if topology.machines:
        raise UsageError(
            f"{topology.name} has machines outside Kubernetes, which are not made beside clusters "
            "of your own",
            "name another topology",
        )
    if any(one.region for one in topology.members):
        raise UsageError(
            f"{topology.name} says where nodes are, and yours get no labels of ours",
            "name another topology",
        )
    if any(one.gateway is not None and one.gateway.hostname for one in topology.members):
        raise UsageError(
            f"{topology.name} has a gateway that is announced by a host name, which is your load "
            "balancer's to choose",
            "name another topology",
        )
