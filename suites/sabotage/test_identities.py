"""Identities that are not what is claimed are noticed, and so is who signed for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import find_workload
from meshproof.mesh.credentials import installed_authority, issue
from meshproof.mesh.mesh import Way
from meshproof.runner.behaviours import proves
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.impostor import serving_as
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import require
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    PORT,
    Sample,
    sleep_objects,
)
from suites.identities import announced
from suites.identities.claims import (
    Holder,
    another_roots_client_is_refused,
    peers_know_each_other,
    signed_by_the_primarys_authority,
)
from suites.identities.lifetimes import USUAL, briefly_certified, valid_for
from suites.sabotage.other_account import another_account
from suites.sabotage.shown import calls_by, faults, no_fault

Judge = Callable[[Verdict], None]


@proves("identities/peers-know-each-other")
def test_another_client_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a caller of another service account, the claim of the client's identity fails."""
    cluster = sample.mesh.cluster(sample.clusters[-1])
    with applied(cluster, sleep_objects(name="other-client")):
        await_rollout(cluster, NAMESPACE, {"other-client"}, sample.mesh.shell)
        client = find_workload(cluster, "other-client", NAMESPACE)
        calls = "calls of a caller of another service account"
        require(lambda: faults(calls_by(sample, client)), until=no_fault, what=calls)
        verdict = peers_know_each_other(sample, client)
    judge(noticed([verdict], "sa/other-client"))


@proves("identities/peers-know-each-other")
def test_another_server_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a server of another service account, the claim of the server's identity fails."""
    name = sample.homes[0]
    with another_account(sample, name):
        verdict = peers_know_each_other(sample, sample.caller(name))
    judge(noticed([verdict], "sa/impostor"))


@proves("identities/signed-by-the-primary")
@pytest.mark.remotes
def test_a_remotes_own_authority_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a workload that the remote's own authority signed for, the claim of the chain fails."""
    remote = sample.mesh.deployment.topology.remotes[-1].name
    own = installed_authority(sample.mesh.cluster(remote)).authority
    outsider = sample.outsider(remote)
    identity = sample.server_identity(remote)
    way = Way(outsider.address, PORT)
    holder = Holder("the impostor", (remote,), remote, way, identity)
    with serving_as(outsider, PORT, issue(own, identity)):
        verdict = signed_by_the_primarys_authority(sample, [holder])
    judge(noticed([verdict], own.name))


@proves("identities/valid-as-long-as-asked")
@pytest.mark.each_shape
def test_another_lifetime_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a workload that asks for certificates of an hour, the claim that they are valid for a
    day fails and names it."""
    with briefly_certified(sample) as brief:
        verdict = valid_for(sample, [brief], USUAL)
    judge(noticed([verdict], f"{brief.what} is valid for 1:"))


@proves("identities/other-root-refused")
def test_a_stolen_authority_is_noticed(sample: Sample, caller: str, judge: Judge) -> None:
    """With the mesh's own authority in a client's hands, the claim that it is refused fails."""
    verdict = another_roots_client_is_refused(sample, caller, certificate_of_sleep(sample, caller))
    judge(noticed([verdict], "it was not refused"))


@proves("identities/impostor-refused")
@pytest.mark.each_shape
def test_a_client_that_takes_another_name_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a DestinationRule that names the impostor, the claim that it is refused fails."""
    with announced.stranger(sample) as server:
        identity = sample.topology[server.cluster].mesh.identity(NAMESPACE, announced.STRANGER)
        with (
            announced.announced(sample, server, HELLOWORLD),
            ruled(sample, [_naming(identity)]),
        ):
            verdict = announced.refused_as(sample, server, HELLOWORLD)
    judge(noticed([verdict], f"answered by {identity}"))


def _naming(identity: str) -> Object:
    """Clients of the announced Service are told which name to expect."""
    tls = {"mode": "ISTIO_MUTUAL", "subjectAltNames": [identity]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "another-name", "namespace": NAMESPACE},
        "spec": {"host": announced.HOST, "trafficPolicy": {"tls": tls}},
    }
