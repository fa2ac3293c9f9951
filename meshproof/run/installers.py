"""What a request says of how Istio is installed: by which program, and by which charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from meshproof.artifacts import check_charts
from meshproof.errors import UsageError
from meshproof.model import InstalledBy, RunRequest, Topology, usual_installer
from meshproof.model.host import can_be_pushed
from meshproof.model.request import has_own_clusters


def installer_asked(request: RunRequest) -> InstalledBy | None:
    """What installs every mesh; None where each topology has its usual one. An upgrade is done by
    istioctl, and so is a mesh on clusters of one's own: there Services are made ahead, which Helm
    does not take over."""
    if request.upgrade_to is not None or has_own_clusters(request):
        return InstalledBy.ISTIOCTL
    return InstalledBy(request.installer) if request.installer is not None else None


def uses_helm(
    asked: InstalledBy | None, topologies: Iterable[Topology], ids: Sequence[str] = ()
) -> bool:
    """Whether something is installed by Helm. ``asked``: by what every topology is to be, None for
    its usual one; ``ids``: those of the deployments or tests that are judged alone, as far as they
    are named; () for all."""
    if ids:
        return any(f"+{InstalledBy.HELM}" in one for one in ids)
    return any((asked or usual_installer(one.name)) is InstalledBy.HELM for one in topologies)


def ids_named(request: RunRequest, troubled: Sequence[str]) -> tuple[str, ...]:
    """The ids by which a request names all that it judges; () where it names none. ``troubled``:
    those of the tests of an earlier run that are asked for again."""
    only = request.only or ""
    return request.deployment or ((only,) if "[" in only else tuple(troubled))


def check_installer(
    request: RunRequest, topologies: Sequence[Topology], versions: Sequence[str]
) -> None:
    """Raise UsageError for an upgrade by another than istioctl, for topologies that nobody can push
    a mesh to, and for charts that nothing is installed by, or that are not there. ``versions``: all
    those of Istio that the request comes to."""
    other = request.installer not in (None, InstalledBy.ISTIOCTL)
    if request.upgrade_to is not None and other:
        raise UsageError(
            f"an upgrade is done by istioctl, and one by {request.installer} is not built",
            "leave --installer out",
        )
    for topology in topologies if request.installer == InstalledBy.PUSHED else ():
        if not can_be_pushed(topology):
            raise UsageError(
                f"--installer pushed: {topology.name} has no host that manages all of it",
                "name topologies that have one, or another installer",
            )
    if request.charts is None:
        return
    if not uses_helm(installer_asked(request), topologies):
        raise UsageError(
            f"--charts {request.charts}: nothing that is asked for is installed by Helm",
            "add '--installer helm', or leave --charts out",
        )
    if len(set(versions)) > 1:
        raise UsageError(
            "--charts are those of one Istio, and several are asked for", "ask for one version"
        )
    check_charts(request.charts)
