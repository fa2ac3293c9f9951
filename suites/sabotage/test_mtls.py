"""mTLS that is not there is noticed: each mode is claimed of a mesh that has another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from meshproof.errors import EvidenceError
from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet, noticed
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import takes_plain_text
from meshproof.mesh.configuration import configured
from meshproof.mesh.manifests import SYSTEM, cross_network_gateway
from meshproof.model import Capability, Mtls
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.policies import enforced
from meshproof.traffic.response import Response
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import healed, require
from meshproof.traffic.wire import watch_from_each
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample
from suites.mtls.claims import encrypted_on_the_wire, plain_on_the_wire
from suites.mtls.modes import (
    answered_from_the_other_network,
    callers_with_versions_near,
    no_instance_is_left,
    only_its_own_networks_versions_answer,
    services_answer,
)
from suites.mtls.outsiders import (
    PlainCall,
    at_an_undeclared_port,
    at_other_clusters_pods,
    at_other_networks_gateways,
    everybody_is_answered,
    in_its_own_cluster,
    nobody_gets_in_without_a_certificate,
    plain_text_is_turned_away_at_the_gateway,
    strict_alone_refuses,
    turned_away,
)
from suites.mtls.rules import permissive_in
from suites.sabotage.shown import gateways_as_found, peers, require_at_rest, turned, without_tls
from suites.upgrade.claims import is_encrypted

Judge = Callable[[Verdict], None]


@proves("mtls/no-sidecar-refused-at-home", "mtls/no-sidecar-refused-on-one-network")
def test_a_permissive_mesh_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a permissive mesh, the claim that callers without a sidecar are refused fails."""
    with turned(sample, Mtls.PERMISSIVE):
        kinds = [in_its_own_cluster(sample), at_other_clusters_pods(sample)]
        verdicts = [strict_alone_refuses(sample, calls) for calls in kinds if calls]
    judge(noticed(verdicts, "in plain text were answered"))


@proves("mtls/undeclared-port-refuses-plain-text")
@pytest.mark.each_shape
def test_an_open_undeclared_port_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a permissive mesh, the claim that an undeclared port refuses plain text fails."""
    with turned(sample, Mtls.PERMISSIVE):
        verdict = strict_alone_refuses(sample, at_an_undeclared_port(sample))
    judge(noticed([verdict], "in plain text were answered"))


@proves("mtls/by-namespace")
@pytest.mark.each_shape
def test_an_open_namespace_is_noticed(sample: Sample, judge: Judge) -> None:
    """With helloworld's namespace open, the claim that callers without a sidecar are turned away
    fails."""
    calls, opened = in_its_own_cluster(sample), partial(takes_plain_text, port=PORT)
    with enforced(sample, [permissive_in(NAMESPACE)], opened) as missing:
        if missing:
            raise EvidenceError(f"nothing can be claimed: missing is {', '.join(missing)}")
        verdict = turned_away(sample, calls)
    judge(noticed([verdict], "in plain text were answered"))


@proves("mtls/permissive-answers-everybody", "mtls/by-namespace")
def test_a_strict_mesh_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a strict mesh, the claim that everybody is answered fails."""
    verdict = everybody_is_answered(sample, in_its_own_cluster(sample))
    judge(noticed([verdict], "connection reset"))


@proves("mtls/encrypted-on-the-wire", "mtls/permissive-answers-everybody", "upgrade/encrypted")
@requires(Capability.ROUTER)
def test_plain_text_between_sidecars_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a DestinationRule that turns TLS off, the claim that the wire is encrypted fails."""
    names = sample.clusters
    with turned(sample, Mtls.PERMISSIVE), ruled(sample, [without_tls()]):
        for name in names:
            look, what = partial(peers, sample, name), f"plain text from {name}"
            require(look, until=lambda seen: seen == {""}, what=what)
        verdicts = [encrypted_on_the_wire(sample, name) for name in names]
        plan = Plan(times=calls_to_meet(sample.smallest_share))
        verdicts.append(is_encrypted(watch_from_each(sample, plan)))
    judge(noticed(verdicts, "plain text on the wire"))


@proves("mtls/disabled-is-plain-on-the-wire")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_encryption_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a strict mesh, the claim that the wire is plain text fails."""
    names = sample.clusters
    with turned(sample, Mtls.STRICT):
        verdicts = [plain_on_the_wire(sample, name) for name in names]
    judge(noticed(verdicts, "TLS on the wire"))


@proves("mtls/no-certificate-refused")
def test_servers_that_ask_for_no_certificate_are_noticed(sample: Sample, judge: Judge) -> None:
    """With mTLS disabled, the claim that pods ask for a certificate fails."""
    names = sample.clusters
    with turned(sample, Mtls.DISABLED):
        verdicts = [nobody_gets_in_without_a_certificate(sample, name) for name in names]
    judge(noticed(verdicts, "no certificate was asked for"))


@proves("mtls/plain-text-refused-at-gateway")
@pytest.mark.networks(2)
def test_a_gateway_that_takes_plain_text_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that takes plain text, the claim that it turns it away fails."""
    calls = at_other_networks_gateways(sample)
    try:
        with gateways_as_found(sample), configured(sample.mesh, _plain_gateway(sample)):
            for one in calls:
                what = f"an answer to plain text at {one.url}"
                require(partial(_answer, sample, one), until=lambda got: got.succeeded, what=what)
            require_at_rest(sample)
            verdict = plain_text_is_turned_away_at_the_gateway(sample, calls)
    finally:
        healed(sample)
    judge(noticed([verdict], "in plain text were answered"))


@proves("mtls/disabled-crosses-no-network")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
def test_what_crosses_networks_is_noticed(sample: Sample, judge: Judge) -> None:
    """With mTLS on, the claims that nothing crosses networks fail and name the other cluster."""
    first = callers_with_versions_near(sample)[0]
    pairs = sample.pairs(same_network=False)
    second = next(sample.versions[version] for caller, version in pairs if caller == first)
    with services_answer(sample) as answers:
        control = answered_from_the_other_network(answers)
        if control.outcome is not Outcome.PASS:
            raise EvidenceError(f"nothing can be claimed: {control.observed}")
        own = only_its_own_networks_versions_answer(sample, first)
        none = no_instance_is_left(sample)
    judge(all_of([noticed([own], f"from {second}"), noticed([none], "200")]))


def _answer(sample: Sample, one: PlainCall) -> Response:
    return call(sample, one.outsider, Plan(one.url, patience=3))[0]


def _plain_gateway(sample: Sample) -> list[Object]:
    """In place of the gateways' own listeners, some for HTTP, and a way to helloworld."""
    numbers = {one.gateway.port for one in sample.topology.members if one.gateway is not None}
    listener = cross_network_gateway(sorted(numbers))
    for server in listener["spec"]["servers"]:
        number = server["port"]["number"]
        port = {"number": number, "name": f"http-{number}", "protocol": "HTTP"}
        server.clear()
        server |= {"port": port, "hosts": ["*"]}
    destination = {"host": HOST, "port": {"number": PORT}}
    way = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "in-plain-text", "namespace": SYSTEM},
        "spec": {
            "hosts": ["*"],
            "gateways": [listener["metadata"]["name"]],
            "http": [{"route": [{"destination": destination}]}],
        },
    }
    return [listener, way]
