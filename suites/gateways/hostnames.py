"""What is claimed of gateways whose load balancers are announced by host names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import dns_address, load_balancer_name
from meshproof.kube.names import ask_name
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import network_gateways
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Way
from meshproof.mesh.operator_config import GATEWAY
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.workloads.sample import HOST, PORT, Sample


def names_are_resolved(sample: Sample) -> Verdict:
    """Sidecars go to other networks at the addresses that the gateways' host names stand for, and
    nowhere else: their istiod was told the names alone, and has resolved them.

    Rule: ``RESOLVE_HOSTNAME_GATEWAYS`` in Istio's pilot/pkg/model/network.go. INCONCLUSIVE: a
    Service's status names an address, or the DNS that an istiod asks does not know a name.
    """
    callers = dict.fromkeys(caller for caller, _ in sample.topology.named_ways)
    return all_of(_resolved(sample, caller) for caller in callers)


def _resolved(sample: Sample, caller: str) -> Verdict:
    """The claim of the sidecars of one cluster."""
    ways = _ways_out(sample, caller)
    names = {
        name: load_balancer_name(way.address)
        for name, way in ways.items()
        if (gateway := sample.topology[name].gateway) is not None and gateway.hostname
    }
    istiod = sample.topology[caller].primary
    controls = [_told_by_name_alone(sample.mesh.cluster(name)) for name in names]
    controls += [_known_to_dns(sample, istiod, ways[name], host) for name, host in names.items()]
    claim = _goes_there(sample, caller, set(ways.values()), list(names.values()))
    return with_control(claim, all_of(controls))


def _ways_out(sample: Sample, caller: str) -> Mapping[str, Way]:
    """The ways to the versions on other networks, by the clusters whose gateways these are."""
    near, homes = sample.topology.same_network, sample.reached_from(caller).values()
    far = [home for home in dict.fromkeys(homes) if not near(caller, home)]
    return {name: way for home in far for name, way in sample.mesh.ways_to(home).items()}


def _goes_there(
    sample: Sample, caller: str, ways: Collection[Way], names: Collection[str]
) -> Verdict:
    pods = {
        str(way)
        for one in sample.servers().values()
        if sample.topology.same_network(caller, one.cluster)
        for way in sample.ways(caller, one)
    }
    known = endpoints(sample.caller(caller), outbound(HOST, PORT))
    seen = {f"{one.address}:{one.port}" for one in known if one.healthy} - pods
    istiod = sample.topology[caller].primary
    gone_by = [f"{one.address}:{one.port}" for one in network_gateways(sample.mesh, istiod)]
    due = set(map(str, ways))
    expected = (
        f"sleep's proxy in {caller} to go to other networks by {_listed(due)}, which "
        f"{_listed(names)} stand for"
    )
    observed = (
        f"in {caller} it goes by {_listed(seen)}; the istiod in {istiod} has resolved "
        f"{_listed(gone_by)}"
    )
    return Verdict(Outcome.PASS if seen == due else Outcome.FAIL, expected, observed)


def _told_by_name_alone(cluster: RunningCluster) -> Verdict:
    """As a control: an address in the status would be used without asking any DNS."""
    with lab_errors(f"read the status of {GATEWAY} in {cluster.name}"):
        status = cluster.core.read_namespaced_service_status(GATEWAY, SYSTEM).status
    told = [one.ip or one.hostname for one in status.load_balancer.ingress or []]
    by_name = [one.hostname for one in status.load_balancer.ingress or [] if not one.ip]
    expected = f"the gateway's Service in {cluster.name} to be announced by a host name alone"
    right = bool(told) and told == by_name
    verdict = Verdict(
        Outcome.PASS if right else Outcome.FAIL,
        expected,
        f"the gateway's Service in {cluster.name} is announced as {_listed(told)}",
    )
    return as_control(verdict)


def _known_to_dns(sample: Sample, control_plane: str, way: Way, host: str) -> Verdict:
    """As a control: an istiod asks the DNS that the pods of its cluster ask."""
    server = dns_address(sample.mesh.cluster(control_plane))
    answer = ask_name(sample.outsider(control_plane), host, server)
    right = answer.addresses == (way.address,)
    expected = f"the DNS of {control_plane} to know {host} as {way.address}"
    observed = f"the DNS of {control_plane} says of {host}: {answer}"
    return as_control(Verdict(Outcome.PASS if right else Outcome.FAIL, expected, observed))


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words)) or "nothing"
