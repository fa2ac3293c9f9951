"""Policies in force: applied, arrived in the proxies of the servers that obey them, gone again.

Unlike routing rules these act where calls arrive, and replace the listener there: connections from
before have to be over as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from meshproof.kube.objects import Object, title
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive, await_drained, await_healed
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

Sign = Callable[[Workload], bool]
"""Whether a server's proxy obeys what is looked for."""


def named(*texts: str) -> Sign:
    """Each text is in what the proxy uses of its listeners: an authorization policy's name, a
    token's issuer."""

    def sign(server: Workload) -> bool:
        used = in_use(server, LISTENERS)
        return all(text in used for text in texts)

    return sign


def of_policy(one: Object) -> Sign:
    """The sign of an AuthorizationPolicy: Envoy's rules are called after it."""
    return named(f"policy[{one['metadata']['name']}]")


def denying_port(sample: Sample, port: int) -> Object:
    """helloworld denies sleep one port, by its identity."""
    rule = {
        "from": [{"source": {"principals": principals(sample, SLEEP)}}],
        "to": [{"operation": {"ports": [str(port)]}}],
    }
    selector = {"matchLabels": {"app": HELLOWORLD}}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name_of_denying(port), "namespace": NAMESPACE},
        "spec": {"selector": selector, "action": "DENY", "rules": [rule]},
    }


def principals(sample: Sample, account: str) -> list[str]:
    """How policies call an account of the sample, in whichever of the meshes."""
    identities = dict.fromkeys(one.identity(NAMESPACE, account) for one in sample.topology.meshes)
    return [one.removeprefix("spiffe://") for one in identities]


def name_of_denying(port: int) -> str:
    """What that policy is called, also by the proxies that deny by it."""
    return f"deny-port-{port}"


@contextmanager
def enforced(
    sample: Sample,
    objects: Sequence[Object],
    sign: Sign,
    clusters: Collection[str] | None = None,
) -> Iterator[Sequence[str]]:
    """The objects are applied, and helloworld's proxies obey them inside the block as far as they
    do within half a minute; afterwards none does, or the mesh is marked dirty.

    ``sign``: how a proxy shows it; ``clusters``: where they are applied, by default wherever
    configuration counts. Yields the governed proxies without the sign by then, in words; the mesh
    notes that, too, so that a claim which holds all the same is INCONCLUSIVE.
    """
    topology = sample.topology
    where = topology.config_clusters if clusters is None else clusters
    servers = sample.every_server()
    governed = [one for one in servers if topology.configured_by(one.cluster) in where]

    def without(some: Sequence[Workload]) -> list[str]:
        shown = side_by_side(sample.mesh.shell, sign, some)
        return [str(one) for one, yes in zip(some, shown, strict=True) if not yes]

    lacking = list(map(str, governed))

    def arrived() -> bool:
        lacking[:] = without(governed)
        return not lacking

    what = ", ".join(map(title, objects))
    try:
        with configured(sample.mesh, objects, where):
            arrive(sample.mesh, arrived, what=f"{what} in the servers' proxies")
            await_drained(sample)
            yield tuple(f"{what} in {one}" for one in lacking)
    finally:
        await_healed(sample, lambda: len(without(servers)) == len(servers), f"the end of {what}")
