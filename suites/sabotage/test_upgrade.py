"""What an upgrade may leave behind, or lose, is noticed: shown on meshes that stay as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from meshproof.errors import LabError
from meshproof.expect import Verdict, calls_to_meet, noticed
from meshproof.faults.discovery import unread
from meshproof.faults.gateway import gateway_scaled
from meshproof.faults.istiod import proxies_healed, restart_istiod
from meshproof.kube.objects import Object, applied, apply, as_found, delete, would_be
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PROXY
from meshproof.mesh.istiod import ISTIOD, unread_clusters
from meshproof.mesh.manifests import SYSTEM
from meshproof.model import Capability, Deed, Step, Version, revision_of
from meshproof.model.upgrade import Stage, State, begin
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan
from meshproof.traffic.connected import proxy_id, serving
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.traffic.stream import Stream, streaming
from meshproof.traffic.stream_history import History
from meshproof.traffic.stream_over import Shares, over
from meshproof.traffic.wire import watch_from_each
from meshproof.transitions.upgrade import Passed, Transition, taken
from meshproof.workloads.sample import NAMESPACE, Sample, namespace_object
from meshproof.workloads.scale import scaled
from suites.sabotage.shown import calls_by, faults, forgotten, no_fault
from suites.upgrade.claims import (
    clusters_are_read,
    configuration_is_checked,
    costs_what_was_promised,
    every_version_answers,
    goes_through,
    new_pods_are_injected,
    nothing_is_left,
    runs_what_is_due,
)
from suites.upgrade.looking import naming_in
from suites.upgrade.served import served_by_its_own
from suites.upgrade.tried import a_pod, mistaken_service

Judge = Callable[[Verdict], None]
_OTHER = Version(1, 0, 0)
_AWAY, _MEANWHILE = 10.0, 4.0
_REFUSES = Path("/bin/false")


@proves("upgrade/runs-what-is-due")
def test_an_old_proxy_that_stays_is_noticed(sample: Sample, judge: Judge) -> None:
    """With sidecars, gateways or istiods that were not replaced, the claim that they are of the
    version that is due fails and names what they are."""
    state, running = _as_it_is(sample)
    due = [
        replace(state, sidecars=dict.fromkeys(state.sidecars, _OTHER)),
        replace(state, installed=dict.fromkeys(state.installed, (_OTHER,))),
    ]
    if state.gateways:
        due.append(replace(state, gateways=dict.fromkeys(state.gateways, _OTHER)))
    judge(noticed([runs_what_is_due(sample, one) for one in due], f"says {running}"))


@proves("upgrade/served-by-its-own")
def test_a_proxy_that_another_istiod_serves_is_noticed(sample: Sample, judge: Judge) -> None:
    """With proxies whose istiod is of another version than is due, the claim that they are served
    by their own fails and names what it is of."""
    state, running = _as_it_is(sample)
    due = replace(state, installed=dict.fromkeys(state.installed, (_OTHER,)))
    judge(noticed([served_by_its_own(sample, due)], f"which is {running}"))


@proves("upgrade/served-by-its-own")
def test_a_proxy_that_nobody_serves_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an istiod that proxies do not find any more, the claim that they are served by their own
    fails."""
    state, _ = _as_it_is(sample)
    caller = sample.caller(sample.clusters[0])
    plane = sample.topology[caller.cluster].primary
    proxy = (caller.cluster, proxy_id(caller))
    with _out_of_reach(sample, plane):
        require(
            lambda: [one for one in serving(sample.mesh, plane) if proxy in one.proxies],
            until=lambda found: not found,
            what=f"{caller} without an istiod",
        )
        verdict = served_by_its_own(sample, state)
    judge(noticed([verdict], "is connected to no istiod"))


@proves("upgrade/every-version-answers")
@pytest.mark.several_versions
@requires(Capability.ROUTER, Capability.NODES)
def test_a_version_that_is_gone_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a version whose pods did not come back, the claim that every version answers fails and
    names it."""
    version = next(iter(sample.versions))

    def answering() -> str:
        """Who is still answered by it, or otherwise than at once; "" for nobody."""
        for name in sample.clusters:
            responses = calls_by(sample, sample.caller(name))
            if told := faults(responses):
                return f"{name}: {told}"
            if any(one.version == version for one in responses):
                return f"{name} is answered by {version}"
        return ""

    try:
        with scaled(sample, version, 0):
            require(answering, until=no_fault, what=f"calls that {version} does not answer")
            plan = Plan(times=calls_to_meet(sample.smallest_share))
            verdict = every_version_answers(watch_from_each(sample, plan))
    finally:
        forgotten(sample)
        healed(sample)
    judge(noticed([verdict], version))


@proves("upgrade/clusters-are-read")
@pytest.mark.remote_secrets
def test_a_cluster_that_is_read_no_more_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a remote secret that an upgrade has lost, the claim that clusters are read fails and
    names the cluster."""
    caller, home = sample.read_from_elsewhere
    plane = sample.topology[caller].primary
    try:
        with unread(sample.mesh.cluster(plane), sample.mesh.cluster(home)):
            look = partial(unread_clusters, sample.mesh, plane)
            require(look, until=lambda seen: home in seen, what=f"{home} unread by {plane}")
            verdict = clusters_are_read(sample)
    finally:
        healed(sample)
    judge(noticed([verdict], f"{home} is unknown to"))


@proves("upgrade/pods-are-injected")
def test_a_namespace_that_asks_for_nobody_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a namespace that asks for no istiod, the claim that new pods get a sidecar fails."""
    state, _ = _as_it_is(sample)
    name = sample.clusters[0]
    cluster, alone = sample.mesh.cluster(name), namespace_object(NAMESPACE, injected=False)

    def injected() -> bool:
        spec = would_be(cluster, a_pod())["spec"]
        made = [*(spec.get("initContainers") or []), *spec["containers"]]
        return any(one["name"] == PROXY for one in made)

    try:
        with as_found(cluster, [alone]):
            apply(cluster, [alone])
            what = f"a new pod in {name} without a sidecar"
            require(injected, until=lambda seen: not seen, what=what)
            verdict = new_pods_are_injected(sample, state)
    finally:
        await_healed(sample, injected, f"injection in {name}")
    judge(noticed([verdict], f"in {name} it gets none"))


@proves("upgrade/configuration-is-checked")
def test_a_webhook_that_is_gone_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no webhook that checks configuration, the claim that mistakes are refused fails."""
    name = sample.topology.config_clusters[0]
    cluster, webhooks = sample.mesh.cluster(name), [_validating(one) for one in _VALIDATORS]

    def refused() -> bool:
        try:
            would_be(cluster, mistaken_service())
        except LabError:
            return True
        return False

    try:
        with as_found(cluster, webhooks):
            delete(cluster, webhooks)
            what = f"mistakes that nobody refuses in {name}"
            require(refused, until=lambda seen: not seen, what=what)
            verdict = configuration_is_checked(sample)
    finally:
        await_healed(sample, refused, f"refused mistakes in {name}")
    judge(noticed([verdict], f"in {name} nobody refused it"))


@proves("upgrade/goes-through")
@requires(Capability.ROUTER, Capability.NODES, Capability.ASSIGNED_ADDRESSES)
def test_a_step_that_does_not_come_to_its_end_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an istioctl that refuses, the claim that the step comes to its end fails."""
    state, running = _as_it_is(sample)
    plane = sample.topology.control_planes[0].name
    before, step = Stage(0, None, state), Step(Deed.CONTROL_PLANE, plane, running)
    with _refusing(sample, running), streaming(sample) as stream:
        stream.flow_for(_MEANWHILE)
        began = time.time()
        trouble = taken(sample, step, before, stream)
    ended = time.time()
    passed = Passed(Stage(1, step, state), began, ended, ended, ended, trouble)
    assert stream.history is not None
    whole = _transition(sample, stream.history, passed, {})
    judge(noticed([goes_through(whole, 1)], "was not installed"))


@proves("upgrade/loss")
@pytest.mark.networks(2)
@pytest.mark.several_versions
@requires(Capability.ROUTER, Capability.NODES, Capability.ASSIGNED_ADDRESSES)
def test_a_gateway_that_goes_before_the_next_is_there_is_noticed(
    sample: Sample, judge: Judge
) -> None:
    """With a gateway that is restarted with nobody beside it, the claim of what that costs fails
    and names the version that was missing."""
    state, running = _as_it_is(sample)
    home = sample.far_gateway
    step = Step(Deed.GATEWAY, home, running)
    times: list[float] = []

    def doing(stream: Stream, _: ExitStack) -> None:
        times.append(time.time())
        cluster = sample.mesh.cluster(home)
        with stream.mark(str(step)), gateway_scaled(cluster, 0, sample.mesh.shell):
            stream.flow_for(_AWAY)
        times.append(time.time())
        healed(sample)
        times.append(time.time())
        stream.flow_for(_MEANWHILE)
        times.append(time.time())

    found = over(sample, doing)
    began, done, rest, end = times
    passed = Passed(Stage(1, step, state), began, done, rest, end)
    whole = _transition(sample, found.history, passed, found.shares)
    version = sample.versions_in(home)[0]
    judge(noticed([costs_what_was_promised(whole, 1)], f"{version} did not answer"))


@proves("upgrade/nothing-is-left")
def test_what_is_left_of_a_revision_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an object that names a revision which was removed, the claim that nothing is left fails
    and names it."""
    revision, names = revision_of(_OTHER), sample.topology.names
    name = names[0]
    with applied(sample.mesh.cluster(name), [_left(revision)]):
        found = naming_in(sample, revision, names)
        verdict = nothing_is_left(revision, {name: found[name]}, found)
    judge(noticed([verdict], f"ConfigMap {SYSTEM}/istio-{revision} in {name}"))


@contextmanager
def _out_of_reach(sample: Sample, name: str) -> Iterator[None]:
    """The Services of a cluster's istiod lead to nobody inside the block, and the istiod is another
    one, which nobody has found; afterwards they lead there again, and proxies are connected, or the
    mesh is marked dirty."""
    mesh, cluster = sample.mesh, sample.mesh.cluster(name)
    with lab_errors(f"look for the Services of {name}'s istiod"):
        found = cluster.core.list_namespaced_service(SYSTEM).items
    names = [one.metadata.name for one in found if (one.spec.selector or {}).get("app") == ISTIOD]
    nobody = {"spec": {"selector": {"app": "nobody"}}}
    try:
        with as_found(cluster, [_service(one) for one in names]):
            with lab_errors(f"lead the Services of {name}'s istiod to nobody"):
                for one in names:
                    cluster.core.patch_namespaced_service(one, SYSTEM, nobody)
            restart_istiod(cluster, mesh.shell)
            yield
    finally:
        proxies_healed(sample, "istiod can be found again")


def _service(name: str) -> Object:
    metadata = {"name": name, "namespace": SYSTEM}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}


_VALIDATORS = ("istio-validator-istio-system", "istiod-default-validator")


def _validating(name: str) -> Object:
    """The objects by which Istio has configuration checked."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
    }


def _left(revision: str) -> Object:
    metadata = {"name": f"istio-{revision}", "namespace": SYSTEM}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def _as_it_is(sample: Sample) -> tuple[State, Version]:
    """What runs where in a mesh of one version, and which that is."""
    running = next(iter(sample.mesh.deployment.istio.values()))
    return begin(sample.topology, running), running


def _transition(sample: Sample, history: History, passed: Passed, shares: Shares) -> Transition:
    """A single step, as of an upgrade."""
    at = history.begin
    before = Passed(Stage(0, None, passed.stage.state), at, at, at, at)
    return Transition(sample.mesh.deployment, (before, passed), history, shares)


@contextmanager
def _refusing(sample: Sample, version: Version) -> Iterator[None]:
    """In place of istioctl there is a program that does nothing, and fails."""
    mesh = sample.mesh
    own = mesh.bundle
    mesh.bundle = replace(own, istioctl={**own.istioctl, version: _REFUSES})
    try:
        yield
    finally:
        mesh.bundle = own
