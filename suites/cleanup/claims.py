"""What is claimed of a cluster after a mesh has left it."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.errors import WaitTimeoutError
from meshproof.expect import Outcome, Verdict, all_of
from meshproof.lab import Lab
from meshproof.mesh.inventory import Inventory, take_inventory
from meshproof.process import side_by_side
from meshproof.wait import eventually

# istiod writes its ConfigMaps again and again while it, or what it left running, lives.
_QUIET = 2.0
_SHOWN = 5


def nothing_remains(lab: Lab, before: Mapping[str, Inventory]) -> Verdict:
    """Each cluster holds, object by object, what it held before the mesh, and goes on so."""
    shell = lab.engine.shell
    return all_of(
        side_by_side(shell, lambda name: _as_before(lab, name, before[name]), lab.clusters)
    )


def no_address_remains(lab: Lab) -> Verdict:
    """No node answers for a gateway's address any more, and the lab has none given."""
    expected = "no LoadBalancer address left on any node"
    found = [
        f"{address} on {node.container}"
        for name, cluster in lab.clusters.items()
        for node in cluster.nodes
        for address in lab.subnets[name].load_balancers
        if f" {address}/" in cluster.on_node(node, "ip", "-o", "-4", "address").stdout
    ]
    given = [str(one) for addresses in lab.addresses.values() for one in addresses.given]
    if found or given:
        return Verdict(Outcome.FAIL, expected, ", ".join(found + given))
    return Verdict(Outcome.PASS, expected, "none")


def _as_before(lab: Lab, name: str, before: Inventory) -> Verdict:
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
            within=_QUIET * 2,
            stable_for=_QUIET,
            every=1.0,
        )
    except WaitTimeoutError:
        return Verdict(Outcome.FAIL, expected, differences() or "it did not come to rest")
    return Verdict(Outcome.PASS, expected, "those and no others")
