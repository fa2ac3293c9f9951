"""An upgrade, judged after each of its steps, and by the calls that went through all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.transitions.upgrade import Transition
from suites.upgrade.claims import costs_what_was_promised, goes_through
from suites.upgrade.looking import (
    ANSWERS,
    CHECKED,
    DUE,
    GLOBAL,
    INJECTED,
    LEFT,
    MACHINES,
    READ,
    SERVED,
    TLS,
    WAYS,
)

Judge = Callable[[Verdict], None]
pytestmark = [
    pytest.mark.upgrades,
    pytest.mark.variant("revision"),
    requires(Capability.ROUTER, Capability.NODES, Capability.ASSIGNED_ADDRESSES),
]


@behaviour("upgrade/goes-through", feature="change", level="extended")
def test_each_step_comes_to_its_end(transition: Transition, step: int, judge: Judge) -> None:
    """Each step of an upgrade comes to its end: what istioctl installs becomes ready, and what is
    restarted comes back."""
    judge(goes_through(transition, step))


@behaviour("upgrade/runs-what-is-due", feature="change", level="extended")
def test_programs_are_of_the_version_that_is_due(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step istiods, sidecars and gateways say that they are of the version that is due
    there, and each version is of one image in all clusters."""
    judge(transition.verdict(step, DUE))


# Who its istiod is, is the injector's choice: a new proxy that the old revision serves has new
# programs, and an old mesh's configuration.
@behaviour("upgrade/served-by-its-own", feature="change", level="extended")
def test_every_proxy_is_served_by_the_istiod_that_is_due(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step every sidecar and gateway is connected to an istiod of its own control plane,
    and of its own revision; where that is replaced in place, to the one that is there."""
    judge(transition.verdict(step, SERVED))


@behaviour("upgrade/every-version-answers", feature="change", level="extended")
def test_every_version_answers_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step every version answers calls from every cluster, from its own cluster."""
    judge(transition.verdict(step, ANSWERS))


@behaviour("upgrade/ways-stay", feature="change", level="extended")
def test_requests_take_the_same_ways_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step requests go to pods on one network, and to gateways across networks."""
    judge(transition.verdict(step, WAYS))


# Identities are judged as well: https://github.com/istio/istio/issues/59474 (a wrong trust domain
# of remote endpoints, with an old reader's role).
@behaviour("upgrade/encrypted", feature="change", level="extended")
def test_every_call_is_mutual_tls_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step every call is TLS on the wire, between the identities of caller and server,
    whichever versions their proxies are of."""
    judge(transition.verdict(step, TLS))


@behaviour("upgrade/clusters-are-read", feature="change", level="extended")
@pytest.mark.remote_secrets
def test_istiods_read_their_clusters_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step every istiod has read the clusters that it has remote secrets of, and the
    account of each secret may read there, whichever version made its role."""
    judge(transition.verdict(step, READ))


@behaviour("upgrade/pods-are-injected", feature="change", level="extended")
def test_a_new_pod_gets_the_sidecar_that_is_due_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step a new pod in any cluster gets the sidecar of the version that is due."""
    judge(transition.verdict(step, INJECTED))


@behaviour("upgrade/configuration-is-checked", feature="change", level="extended")
def test_mistaken_configuration_is_refused_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step mistaken configuration is refused by Istio, and right one accepted."""
    judge(transition.verdict(step, CHECKED))


@behaviour("upgrade/machines-go-on", feature="machines", level="extended")
@pytest.mark.machines
def test_machines_go_on_after_each_step(transition: Transition, step: int, judge: Judge) -> None:
    """After each step machines outside Kubernetes run the version that is due on them, whatever
    their istiod is of, are connected, call every version and answer."""
    judge(transition.verdict(step, MACHINES))


# https://github.com/istio/istio/issues/50459, 31480 (an upgrade breaks ServiceEntries with
# ISTIO_MUTUAL across clusters), 32848, 29308 (one breaks global names).
@behaviour("upgrade/global-names-answer", feature="change", level="extended")
@pytest.mark.exposes
def test_global_names_are_answered_after_each_step(
    transition: Transition, step: int, judge: Judge
) -> None:
    """After each step services that another mesh exposes are answered by their global names, by
    that mesh alone and through its gateways, whichever of the two meshes has come further."""
    judge(transition.verdict(step, GLOBAL))


# Who promises what is in docs/upgrade.md: no loss for what a canary puts beside, tags and removes;
# of all else Istio says: "Traffic disruption may occur during the upgrade process."
@behaviour("upgrade/loss", feature="change", level="extended")
def test_each_step_costs_what_was_promised(transition: Transition, step: int, judge: Judge) -> None:
    """Calls that go on lose nothing by what is put beside, tagged or removed; by all else nothing
    once the mesh is at rest again, and every version answers all the time."""
    judge(costs_what_was_promised(transition, step))


@behaviour("upgrade/nothing-is-left", feature="change", level="extended")
@pytest.mark.upgrades("canary")
def test_nothing_of_the_removed_revision_is_left(transition: Transition, judge: Judge) -> None:
    """After a canary no object in any cluster names the revision that was removed."""
    judge(transition.verdict(transition.deployment.course[-1].number, LEFT))
