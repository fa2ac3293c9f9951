"""What is claimed of where endpoints are said to be: in the region and the zone of their nodes.

https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.istiod import known_instances
from meshproof.mesh.manifests import REGION_LABEL, ZONE_LABEL, node_labels
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.workloads.sample import HOST, PORT, Sample

Places = Mapping[tuple[str, str], str]
"""By the cluster and the address of a pod, region and zone with a slash between them; "" where
nothing says."""


def endpoints_tell_their_locality(sample: Sample, caller: str) -> Verdict:
    """The istiod that serves a caller knows each instance of helloworld in the region and zone that
    its node says, and so does the caller's proxy of those on its own network; an instance whose
    node says nothing is nowhere.

    INCONCLUSIVE: a node does not say what the topology says of it, or the istiod is to know no
    instance. FAIL: one is elsewhere, or not known.
    """
    topology = sample.topology
    istiod = topology[caller].primary
    servers = [one for one in sample.every_server() if topology.knows(caller, one.cluster)]
    if not servers:
        expected = f"the istiod in {istiod} to know instances where their nodes are"
        return Verdict(Outcome.INCONCLUSIVE, expected, f"it is to know none of {caller}'s mesh")
    near = [one for one in servers if topology.same_network(caller, one.cluster)]
    known = known_instances(sample.mesh, istiod, HOST, PORT)
    by_istiod = {(one.cluster, one.address): one.locality.rstrip("/") for one in known}
    told = {
        one.address: one.locality for one in endpoints(sample.caller(caller), outbound(HOST, PORT))
    }
    by_proxy = {_key(one): told[_key(one)[1]] for one in near if _key(one)[1] in told}
    said = {one.node.container: _labels(one) for one in servers}
    claims = [
        _in_their_places(f"the istiod in {istiod}", servers, said, by_istiod),
        _in_their_places(f"sleep's proxy in {caller}", near, said, by_proxy),
    ]
    control = all_of(_says(sample, one, said[one.node.container]) for one in servers)
    return with_control(all_of(claims), control)


def _in_their_places(
    who: str, servers: Iterable[PodWorkload], said: Mapping[str, Mapping[str, str]], told: Places
) -> Verdict:
    """Whether somebody knows instances where their nodes are. ``said``: each node's labels."""
    wrong, right = [], []
    for one in servers:
        labels = said[one.node.container]
        due = "/".join(labels.get(key, "") for key in (REGION_LABEL, ZONE_LABEL)).rstrip("/")
        name = f"{one.name} of {one.cluster}"
        if _key(one) not in told:
            wrong.append(f"{name} is not known")
        elif told[_key(one)] != due:
            wrong.append(f"{name} is {_where(told[_key(one)])}, not {_where(due)}")
        else:
            right.append(f"{name} is {_where(due)}")
    expected = f"{who} to know instances where their nodes are"
    observed = f"by {who} {', '.join(wrong or right) or 'none is to be known'}"
    return Verdict(Outcome.FAIL if wrong else Outcome.PASS, expected, observed)


def _says(sample: Sample, server: PodWorkload, labels: Mapping[str, str]) -> Verdict:
    """The control: the node of an instance says what the topology says of it."""
    node = server.node.container
    nodes = [one.container for one in server.running.nodes]
    due = node_labels(sample.topology[server.cluster], nodes).get(node, {})
    missing = [f"{key}={value}" for key, value in due.items() if labels.get(key) != value]
    observed = f"node {node} does not say {', '.join(missing)}" if missing else f"{node} does"
    expected = f"node {node} to say where it is"
    return as_control(Verdict(Outcome.FAIL if missing else Outcome.PASS, expected, observed))


def _key(server: PodWorkload) -> tuple[str, str]:
    return server.cluster, str(server.address)


def _where(place: str) -> str:
    return f"in {place}" if place else "nowhere"


def _labels(server: PodWorkload) -> Mapping[str, str]:
    """What the node of an instance says of itself."""
    name = server.node.container
    with lab_errors(f"read node {name} of {server.cluster}"):
        labels: dict[str, str] = server.running.core.read_node(name).metadata.labels or {}
    return labels
