"""What is claimed of configuration that must not disturb the gateway."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.proxy import statistics
from meshproof.traffic.settle import arrive, await_drained, await_healed
from meshproof.traffic.tls_question import TlsAnswer, ask
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.gateways.claims import calls_cross, the_workload_shows_its_own_certificate
from suites.gateways.far_side import FarSide, far_side
from suites.gateways.manifests import (
    GOVERNED_PORT,
    GOVERNED_SNI,
    TWINS,
    denying_all_at_the_gateway,
    governed_way,
    twin_subsets,
)

_DENIED = r"^tcp\.rbac\.denied$"
_UPDATES = r"^(listener_manager\.lds|cluster_manager\.cds)\.update_(rejected|success)$"


def a_deny_all_changes_nothing(sample: Sample, caller: str, target: str) -> Verdict:
    """A deny-all at the other cluster's gateway does not keep any call from the workload.

    Rule: istiod gives AUTO_PASSTHROUGH chains no authorization. That the policy has come is seen
    on a port of the same gateway that is PASSTHROUGH: what was let through there is denied.
    """
    far = far_side(sample, caller, target)
    network = sample.mesh.deployment.topology[far.there].network
    try:
        with configured(sample.mesh, governed_way(network)):
            arrive(sample.mesh, lambda: _governed(far).chain, what="the governed way")
            let_through = str(_governed(far))
            with configured(sample.mesh, [denying_all_at_the_gateway(network)]):
                arrive(sample.mesh, lambda: _denies(far), what="the policy at the gateway")
                await_drained(sample)
                control = _has_come(let_through, far)
                before = _denied(far)
                shown = the_workload_shows_its_own_certificate(sample, caller, target)
                calls = calls_cross(sample, caller, target)
                claimed = [_denied_none(_denied(far) - before), shown, calls]
            await_healed(sample, lambda: not _denies(far), "the end of the deny-all")
    finally:
        await_healed(sample, lambda: not _governed(far).chain, "the end of the governed way")
    return all_of([control, *claimed])


def twins_are_accepted(sample: Sample, caller: str, target: str) -> Verdict:
    """Subsets with the same labels, and of the same name in two rules, leave the gateway's
    configuration accepted: it rejects no update, serves the subsets, and calls go on.

    Rule: https://github.com/istio/istio/issues/50353.
    """
    far = far_side(sample, caller, target)
    before = statistics(far.gateway, _UPDATES)
    try:
        short = sample.mesh.deployment.shares_gateways
        with configured(sample.mesh, twin_subsets(short=short)):
            arrive(
                sample.mesh, lambda: _has_decided(far, before), what="the subsets at the gateway"
            )
            await_drained(sample)
            shown = [str(far.dial(_twin(name))) for name in TWINS]
            calls = calls_cross(sample, caller, target)
            after = statistics(far.gateway, _UPDATES)
    finally:
        await_healed(sample, lambda: not _knows_twins(far), "the end of the subsets")
    risen = {name: count - before.get(name, 0) for name, count in after.items()}
    return all_of([_accepted(risen), _served(shown, far), calls])


def _governed(far: FarSide) -> TlsAnswer:
    return ask(far.outsider, far.way.address, GOVERNED_PORT, GOVERNED_SNI, alpn=None)


def _denies(far: FarSide) -> bool:
    """Whether the gateway denies a connection where policies govern, and counts it."""
    before = _denied(far)
    return not _governed(far).chain and _denied(far) > before


def _denied(far: FarSide) -> int:
    return sum(statistics(far.gateway, _DENIED).values())


def _has_come(let_through: str, far: FarSide) -> Verdict:
    expected = f"the policy to deny what the gateway of {far.there} let through before"
    if "the certificate of" in let_through and _denies(far):
        return Verdict(Outcome.PASS, expected, f"it did, after {let_through}")
    return Verdict(Outcome.INCONCLUSIVE, expected, f"before: {let_through}; now: {_governed(far)}")


def _denied_none(count: int) -> Verdict:
    outcome = Outcome.FAIL if count else Outcome.PASS
    return Verdict(outcome, "no connection to be denied", f"{count} denied")


def _twin(name: str) -> str:
    return sni_of(HOST, PORT, name)


def _knows_twins(far: FarSide) -> bool:
    return bool(far.dial(_twin(TWINS[-1])).chain)


def _has_decided(far: FarSide, before: dict[str, int]) -> bool:
    """Whether the gateway serves the subsets, or has rejected an update."""
    return _knows_twins(far) or _rejected(statistics(far.gateway, _UPDATES)) > _rejected(before)


def _rejected(counted: dict[str, int]) -> int:
    return sum(count for name, count in counted.items() if "rejected" in name)


def _accepted(risen: dict[str, int]) -> Verdict:
    expected = "the gateway to take updates and reject none"
    counted = {name: str(count) for name, count in risen.items()}
    rejected = _rejected(risen)
    taken = sum(count for name, count in risen.items() if "success" in name)
    if rejected:
        return Verdict(Outcome.FAIL, expected, f"{rejected} updates rejected", counted)
    outcome = Outcome.PASS if taken else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{taken} taken, none rejected", counted)


def _served(shown: list[str], far: FarSide) -> Verdict:
    expected = "each subset to lead to the workload"
    wrong = [text for text in shown if far.identity not in text]
    if wrong:
        return Verdict(Outcome.FAIL, expected, wrong[0])
    return Verdict(Outcome.PASS, expected, shown[0])
