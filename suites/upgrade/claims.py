"""What is claimed of a mesh on its way to another Istio, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from meshproof.errors import LabError
from meshproof.expect import Outcome, Verdict, all_of, answered_from_home
from meshproof.expect.builds import are_exactly, are_of, of_one_image_each
from meshproof.expect.control import as_control, with_control
from meshproof.expect.identities import peers_are
from meshproof.expect.loss import nobody_missing, nothing_lost, sound, told_of
from meshproof.expect.rights import allowed
from meshproof.expect.upstream import went_to
from meshproof.expect.wire import all_tls, used
from meshproof.kube.objects import would_be
from meshproof.kube.workload import PROXY
from meshproof.mesh.account import Request, Right, UnusableSecretError, remote_account
from meshproof.mesh.blueprint import images_of
from meshproof.mesh.builds import Build, gateway_builds, istiod_builds, proxy_builds
from meshproof.mesh.istiod import unread_by_each
from meshproof.model import Deed, State, Strategy
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import reachable
from meshproof.traffic.upstream import upstream_of
from meshproof.traffic.wire import Watched, counted_since
from meshproof.transitions.upgrade import Transition
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample
from suites.upgrade.tried import a_pod, mistaken_service, right_service

_WEBHOOK = "admission webhook"
_READ = (
    Request(Right("list", "services"), "GET", "/api/v1/services?limit=1"),
    Request(Right("list", "pods"), "GET", "/api/v1/pods?limit=1"),
    Request(
        Right("list", "endpointslices", "discovery.k8s.io"),
        "GET",
        "/apis/discovery.k8s.io/v1/endpointslices?limit=1",
    ),
)
# Of a canary https://istio.io/latest/docs/setup/upgrade/canary/ says that "simply installing the
# new revision has no impact on the existing sidecar proxies"; a tag counts for new pods alone, and
# a revision that nobody is on serves nobody.
_WITHOUT_IMPACT = frozenset({Deed.TAG, Deed.CONTROL_PLANE, Deed.PROFILE, Deed.REMOVAL})


def goes_through(transition: Transition, number: int) -> Verdict:
    """The step that leads to a stage came to its end."""
    expected = f"step {number} to come to its end"
    passed = transition.at(number)
    if passed is None:
        return Verdict(Outcome.INCONCLUSIVE, expected, transition.trouble)
    if passed.trouble:
        return Verdict(Outcome.FAIL, f"{passed.stage.name} to come to its end", passed.trouble)
    taken, waited = passed.done - passed.begin, passed.rest - passed.done
    rest = f"at rest {waited:.1f} s later"
    if passed.missing:
        rest = f"not at rest {waited:.1f} s later: {passed.missing}"
    return Verdict(Outcome.PASS, expected, f"{passed.stage.name}: in {taken:.1f} s, {rest}")


def runs_what_is_due(sample: Sample, state: State) -> Verdict:
    """Each control plane has istiods of just the versions that are installed there; every sidecar
    and gateway is of its own version; and each version is of one image, wherever it runs."""
    mesh, topology = sample.mesh, sample.topology

    def asked(name: str) -> tuple[list[Build], list[Build], list[Build]]:
        istiods = istiod_builds(mesh, name) if topology[name] in topology.control_planes else []
        apps = (SLEEP, HELLOWORLD) if name in sample.clusters else ()
        sidecars = [one for app in apps for one in proxy_builds(mesh, name, app, NAMESPACE)]
        return istiods, sidecars, gateway_builds(mesh, name) if name in state.gateways else []

    told = side_by_side(mesh.shell, asked, topology.names)
    found = dict(zip(topology.names, told, strict=True))
    istiods = {one.name: found[one.name][0] for one in topology.control_planes}
    sidecars = {name: found[name][1] for name in sample.clusters}
    gateways = {name: found[name][2] for name in state.gateways}
    verdicts = [
        are_exactly(set(map(str, state.installed[name])), found, f"the istiods of {name}")
        for name, found in istiods.items()
    ]
    verdicts += [
        are_of({str(state.sidecars[name])}, found, f"the sidecars of {name}")
        for name, found in sidecars.items()
    ]
    verdicts += [
        are_of({str(state.gateways[name])}, found, f"the gateway of {name}")
        for name, found in gateways.items()
    ]
    every = chain.from_iterable((*istiods.values(), *sidecars.values(), *gateways.values()))
    return all_of([*verdicts, of_one_image_each(every)])


def every_version_answers(watched: Sequence[Watched]) -> Verdict:
    """From each cluster every version that can be reached answers, from its own cluster, and no
    call fails."""
    return all_of(
        answered_from_home(one.responses, reachable(one.sample, one.caller.cluster))
        for one in watched
    )


def ways_stay(watched: Sequence[Watched]) -> Verdict:
    """Calls of a version go to its pods on one network, and to a gateway that leads to it across
    networks, by the callers' logs and on the wire."""
    return all_of(
        went_to(one, upstream_of(one.sample, one.caller.cluster, version))
        for one in watched
        for version in reachable(one.sample, one.caller.cluster)
    )


def is_encrypted(watched: Sequence[Watched]) -> Verdict:
    """Every call is TLS on every hop, between the identities of sleep and helloworld; the same
    witness does see the plain text of callers without a sidecar, on the same ways."""
    names = [peers_are(one.sample, one.caller.cluster, one.responses) for one in watched]
    return all_of([*map(all_tls, watched), *names, *_plain_text_is_seen(watched)])


def clusters_are_read(sample: Sample) -> Verdict:
    """Each istiod, of either version, has read all clusters that it has remote secrets of, and the
    account of each secret may read there."""
    verdicts: list[Verdict] = []
    for plane in sample.topology.control_planes:
        if due := sample.topology.reads(plane.name):
            verdicts.append(_have_read(plane.name, due, unread_by_each(sample.mesh, plane.name)))
            verdicts += [_may_be_read(sample, plane.name, name) for name in due]
    return all_of(verdicts)


def new_pods_are_injected(sample: Sample, state: State) -> Verdict:
    """A pod that is made now, in each cluster, gets the sidecar of the version that is due there; a
    dry run tells."""
    return all_of(_is_injected(sample, name, state) for name in sample.clusters)


def configuration_is_checked(sample: Sample) -> Verdict:
    """Wherever configuration counts, a mistaken one is refused by Istio's webhook, and the same
    without the mistake is not."""
    return all_of(_is_checked(sample, name) for name in sample.topology.config_clusters)


def costs_what_was_promised(transition: Transition, number: int) -> Verdict:
    """What calls went through from the begin of a step to the next: none is lost where Istio
    promises that; elsewhere none once the mesh is at rest again, and every version answers all the
    time. How many were lost until then is told."""
    passed = transition.at(number)
    expected = "calls to go on as was promised"
    if passed is None or passed.trouble:
        return Verdict(Outcome.INCONCLUSIVE, expected, transition.trouble)
    calls, step = transition.calls_at(passed), passed.stage.step
    upgrade = transition.deployment.upgrade
    canary = upgrade is not None and upgrade.strategy is Strategy.CANARY
    promised = step is None or (canary and step.deed in _WITHOUT_IMPACT)
    kept = nothing_lost(calls if promised else calls.part(passed.rest))
    heard = nobody_missing(calls, transition.shares, transition.behind_one)
    verdict = all_of([kept, heard])
    if verdict.outcome is Outcome.PASS:
        verdict = Verdict(Outcome.PASS, verdict.expected, told_of(calls), verdict.evidence)
    return with_control(verdict, sound(transition.history))


def nothing_is_left(
    revision: str, there: Mapping[str, Collection[str]], now: Mapping[str, Collection[str]]
) -> Verdict:
    """No object of any cluster names a revision that was removed; the control, before that, finds
    those that did.

    ``there``: by cluster what named it while it was there, where it was; ``now``: at the end.
    """
    expected = f"nothing of the revision {revision} to be left"
    blind = sorted(name for name, found in there.items() if not found)
    if blind or not there:
        observed = f"nothing named it in {', '.join(blind) or 'any cluster'} while it was there"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    left: dict[str, list[str]] = {}
    for name, found in now.items():
        for one in sorted(found):
            left.setdefault(one.partition(" ")[0], []).append(f"{one} in {name}")
    if left:
        # Of each kind by itself: what is known of one must hide none of the others.
        return all_of(Verdict(Outcome.FAIL, expected, "; ".join(one)) for one in left.values())
    count = sum(map(len, there.values()))
    return Verdict(Outcome.PASS, expected, f"nothing of {count} objects that named it")


def _have_read(
    plane: str, due: Collection[str], states: Mapping[str, Mapping[str, str]]
) -> Verdict:
    """``states``: by istiod what it has not read, and what it says of that."""
    expected = f"the istiods of {plane} to have read {', '.join(due)}"
    if not states:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"none runs in {plane}")
    unread = [
        f"{one} is {state} to {pod}"
        for pod, found in states.items()
        for one, state in found.items()
    ]
    if unread:
        return Verdict(Outcome.FAIL, expected, "; ".join(unread))
    return Verdict(Outcome.PASS, expected, f"{len(states)} have")


def _may_be_read(sample: Sample, reader: str, name: str) -> Verdict:
    """Whether the account of a remote secret may read what an istiod reads."""
    try:
        account = remote_account(sample.mesh.cluster(reader), sample.mesh.cluster(name))
    except UnusableSecretError as error:
        words = f"{reader}'s secret of {name} to open its API server to istiod"
        return Verdict(Outcome.FAIL, words, error.cause)
    return allowed([(one, account.send(one)) for one in _READ])


def _is_injected(sample: Sample, name: str, state: State) -> Verdict:
    due = images_of(sample.mesh.bundle, state.injecting[name]).proxy
    expected = f"a new pod in {name} to get a sidecar of {due}"
    try:
        spec = would_be(sample.mesh.cluster(name), a_pod())["spec"]
    except LabError as error:
        if "webhook" not in error.cause:
            raise
        return Verdict(Outcome.FAIL, expected, error.cause)
    containers = [*(spec.get("initContainers") or []), *spec["containers"]]
    images = [one["image"] for one in containers if one["name"] == PROXY]
    observed = f"in {name} it gets {', '.join(images) or 'none'}"
    return Verdict(Outcome.PASS if images == [due] else Outcome.FAIL, expected, observed)


def _is_checked(sample: Sample, name: str) -> Verdict:
    expected = f"a mistake to be refused by Istio in {name}, and nothing else"
    cluster = sample.mesh.cluster(name)
    try:
        would_be(cluster, right_service())
    except LabError as error:
        return Verdict(Outcome.FAIL, expected, f"what is right was refused: {error.cause}")
    try:
        would_be(cluster, mistaken_service())
    except LabError as error:
        if _WEBHOOK in error.cause:
            return Verdict(Outcome.PASS, expected, error.cause)
        return Verdict(Outcome.INCONCLUSIVE, expected, f"somebody else refused: {error.cause}")
    return Verdict(Outcome.FAIL, expected, f"in {name} nobody refused it")


def _plain_text_is_seen(watched: Sequence[Watched]) -> list[Verdict]:
    """The controls: what callers without a sidecar send on the same ways is seen as plain text."""
    if not watched:
        return []
    sample = watched[0].sample
    ways = {one.caller.cluster: list(used(one)) for one in watched}
    before = sample.mesh.lab.counters()

    def knock(name: str) -> None:
        for way in ways[name]:
            call(sample, sample.outsider(name), Plan(f"http://{way}/hello", patience=5))

    side_by_side(sample.mesh.shell, knock, ways)
    counted = counted_since(sample.mesh.lab, before)
    found = []
    for name, theirs in ways.items():
        seen = Watched(sample, sample.outsider(name), (), counted)
        for way in theirs:
            segments = seen.towards(way.address, way.port, "plain")
            outcome = Outcome.PASS if segments else Outcome.FAIL
            expected = f"the witness to see plain text from {seen.caller} to {way}"
            found.append(as_control(Verdict(outcome, expected, f"{segments} segments")))
    return found
