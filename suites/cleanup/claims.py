"""What is claimed of a cluster after a mesh has left it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from meshproof.errors import WaitTimeoutError
from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control
from meshproof.expect.names import unknown
from meshproof.kube import Node, RunningCluster
from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.workload import node_probe
from meshproof.lab import Lab
from meshproof.mesh.inventory import Inventory, Thing, take_inventory
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.routes import host_of
from meshproof.model import InstalledBy
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.wait import eventually
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, OUTSIDE, Sample

# istiod writes its ConfigMaps again and again while it, or what it left running, lives.
_QUIET = 2.0
_WITHIN = 60.0
"""Seconds until what ends by itself has ended, however busy the machine is."""
_SHOWN = 5
_NAMESPACES = (SYSTEM, NAMESPACE, OUTSIDE)
_COMMANDS = {
    InstalledBy.ISTIOCTL: "istioctl uninstall --purge",
    InstalledBy.HELM: "helm uninstall",
    InstalledBy.PUSHED: "taking it out of the host's source",
}


def nothing_remains(lab: Lab, before: Mapping[str, Inventory], within: float = _WITHIN) -> Verdict:
    """Each cluster holds, object by object and after ``within`` seconds at most, what it held
    before the mesh, and goes on so."""

    def judged(name: str) -> Verdict:
        return _as_before(lab, name, before[name], within)

    return all_of(side_by_side(lab.shell, judged, lab.clusters))


def uninstalling_leaves_nothing(
    lab: Lab, before: Mapping[str, Inventory], by: InstalledBy
) -> Verdict:
    """After a mesh was uninstalled by what had installed it, each cluster holds what it held
    before, and has lost nothing of that; what is left is told whole, by kind and name."""
    shell = lab.shell
    verdicts = side_by_side(shell, lambda name: _left(lab, name, before[name], by), lab.clusters)
    return all_of(verdicts)


def more_is_held(lab: Lab, before: Mapping[str, Inventory]) -> Verdict:
    """The control, of a mesh that is there: in each cluster the inventory finds more than what it
    held before."""
    found = side_by_side(
        lab.shell,
        lambda name: len(take_inventory(lab.clusters[name]).new_since(before[name])),
        lab.clusters,
    )
    counts = dict(zip(lab.clusters, found, strict=True))
    expected = "the inventory to find the mesh in each cluster while it is there"
    outcome = Outcome.PASS if all(counts.values()) else Outcome.FAIL
    told = ", ".join(f"{count} more objects in {name}" for name, count in counts.items())
    return as_control(Verdict(outcome, expected, told))


def witnesses_see_it(sample: Sample) -> Verdict:
    """The control, of a mesh that is there: kube-proxy's rules and DNS know helloworld in each
    cluster that has it, and nodes tell the addresses that the lab has given."""
    lab = sample.mesh.lab
    clusters = [lab.clusters[name] for name in sample.clusters]
    found = [_is_known(one) for one in clusters]
    for name, addresses in lab.addresses.items():
        listed = "".join(_addresses_of(lab.clusters[name]).values())
        for one in addresses.given:
            outcome = Outcome.PASS if f" {one}/" in listed else Outcome.FAIL
            found.append(Verdict(outcome, f"{one} on a node of {name}", f"{one} is on none"))
    return as_control(all_of(found))


def no_address_remains(lab: Lab) -> Verdict:
    """No node answers for a gateway's address any more, and the lab has none given; that nodes do
    tell their addresses is seen by their own."""
    expected = "no LoadBalancer address left on any node"
    found, mute = [], []
    for name, cluster in lab.clusters.items():
        for node, listing in _addresses_of(cluster).items():
            left = [one for one in lab.subnets[name].load_balancers if f" {one}/" in listing]
            found += [f"{address} on {node.container}" for address in left]
            mute += [] if f" {node.address}/" in listing else [node.container]
    given = [str(one) for addresses in lab.addresses.values() for one in addresses.given]
    if found or given:
        return Verdict(Outcome.FAIL, expected, ", ".join(found + given))
    if mute:
        observed = f"not even its own address from {', '.join(mute)}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, "none")


def no_rule_remains(lab: Lab, within: float = _WITHIN) -> Verdict:
    """No rule that kube-proxy has written on any node is for a Service of the mesh's namespaces
    any more, after ``within`` seconds at most; that it does write such rules is seen by those of
    the cluster's own DNS."""
    return all_of(_rules(cluster, within) for cluster in lab.clusters.values())


def no_name_remains(lab: Lab, within: float = _WITHIN) -> Verdict:
    """No cluster's DNS knows helloworld any more, after ``within`` seconds at most, while it does
    know a name that is there."""
    return all_of(_names(cluster, within) for cluster in lab.clusters.values())


def rules_written(cluster: RunningCluster) -> list[str]:
    """What kube-proxy has written on the nodes of a cluster, line by line."""
    listing = ("nft", "list", "table", "ip", "kube-proxy")
    texts = [cluster.on_node(node, *listing).stdout for node in cluster.nodes]
    return [line.strip() for text in texts for line in text.splitlines()]


def told_of(cluster: RunningCluster, name: str) -> NameAnswer:
    """What a cluster's DNS says of a name."""
    return ask_name(node_probe(cluster), name, dns_address(cluster))


def _addresses_of(cluster: RunningCluster) -> dict[Node, str]:
    """What each node tells of its addresses."""
    listing = ("ip", "-o", "-4", "address")
    return {node: cluster.on_node(node, *listing).stdout for node in cluster.nodes}


def _is_known(cluster: RunningCluster) -> Verdict:
    """Whether a cluster's rules and DNS know helloworld."""
    service = f"{NAMESPACE}/{HELLOWORLD}"
    rules = sum(service in line for line in rules_written(cluster))
    answer = told_of(cluster, HOST)
    expected = f"rules for {service} and the name {HOST} in {cluster.name}"
    outcome = Outcome.PASS if rules and answer.exists else Outcome.FAIL
    observed = f"{rules} rules in {cluster.name}, and {answer} of the name"
    return Verdict(outcome, expected, observed)


def _names(cluster: RunningCluster, within: float) -> Verdict:
    # CoreDNS is told a little later than whoever asks the API.
    converge(lambda: not told_of(cluster, HOST).exists, what="its end", within=within)
    control = told_of(cluster, host_of("kubernetes", "default"))
    return unknown(HOST, cluster.name, told_of(cluster, HOST), control)


def _rules(cluster: RunningCluster, within: float) -> Verdict:
    expected = f"no rule of kube-proxy in {cluster.name} for {' or '.join(_NAMESPACES)}"

    def left() -> list[str]:
        # Chains that nothing leads to any more are emptied at once, and deleted by and by: older
        # kernels do not let kube-proxy do it at once (its nftables proxier, staleChains).
        lines = rules_written(cluster)
        named = [line for line in lines if any(f"{name}/" in line for name in _NAMESPACES)]
        return [line for line in named if not line.startswith("chain ")]

    converge(lambda: not left(), what="the end of kube-proxy's rules", within=within)
    if found := left():
        return Verdict(Outcome.FAIL, expected, f"{len(found)} lines, such as: {found[0]}")
    if not any("kube-system/kube-dns" in line for line in rules_written(cluster)):
        return Verdict(Outcome.INCONCLUSIVE, expected, "no rule for the cluster's DNS either")
    return Verdict(Outcome.PASS, expected, "none")


def _left(lab: Lab, name: str, before: Inventory, by: InstalledBy) -> Verdict:
    expected = f"nothing of the mesh to be left in {name} by '{_COMMANDS[by]}'"
    if not before.things:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing is known of what was there before")
    now = take_inventory(lab.clusters[name])
    found = by_name(now.new_since(before))
    gone = [f"{thing} is gone" for thing in now.missing_since(before)]
    if found or gone:
        return Verdict(Outcome.FAIL, expected, "; ".join([*found, *gone]))
    return Verdict(Outcome.PASS, expected, "nothing is")


def by_name(things: Iterable[Thing]) -> list[str]:
    """Things in words: those of one kind and name together with their namespaces, and definitions
    of kinds together by what they end with."""
    places: dict[str, list[str]] = {}
    for one in things:
        kind = f"{one.kind}.{one.group}" if one.group else one.kind
        _, _, domain = one.name.partition(".")
        name = f"*.{domain}" if one.kind == "CustomResourceDefinition" else one.name
        marks = f" ({', '.join(sorted(one.marks))})" if one.marks else ""
        places.setdefault(f"{kind} {name}{marks}", []).append(one.namespace)
    return [
        f"{what} is left in {', '.join(sorted(where))}"
        if any(where)
        else f"{what} is left{f', {len(where)} of them' if len(where) > 1 else ''}"
        for what, where in sorted(places.items())
    ]


def _as_before(lab: Lab, name: str, before: Inventory, within: float) -> Verdict:
    cluster = lab.clusters[name]
    expected = f"{name} to hold the {len(before.things)} objects that it held before the mesh"

    def differences() -> str:
        now = take_inventory(cluster)
        extra = [f"{thing} is left" for thing in now.new_since(before)]
        gone = [f"{thing} is gone" for thing in now.missing_since(before)]
        return ", ".join((extra + gone)[:_SHOWN])

    try:
        eventually(
            differences,
            until=lambda found: found == "",
            what=name,
            within=within,
            stable_for=_QUIET,
            every=1.0,
        )
    except WaitTimeoutError:
        return Verdict(Outcome.FAIL, expected, differences() or "it did not come to rest")
    return Verdict(Outcome.PASS, expected, "those and no others")
