"""Global names without the sidecar's DNS proxy: a server of the zone in Istio's namespace, to which
the cluster's DNS forwards it, and a search suffix by which pods leave the zone out.

So did Istio 1.1, whose server was CoreDNS with a plug-in that read ServiceEntries; here it has what
they say written down. https://coredns.io/plugins/forward/, https://coredns.io/plugins/template/.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.names import exists, unknown
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import dns_pod
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.mesh.exposure import address_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.model import Exposure
from meshproof.model.exposure import ZONE
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import arrive, await_healed
from meshproof.traffic.tcp import connect
from meshproof.workloads.exposed import exposed_versions, url_of
from meshproof.workloads.sample import NAMESPACE, TCP_PORT, Sample, sleep_objects
from suites.federation.claims import answered_by_the_provider
from suites.federation.setting import told

SUFFIXED = "sleep-suffix"
"""A sleep that looks for names in the zone as well."""
_SERVER = "global-names"
_DNS, _KUBE_SYSTEM, _KEY = "coredns", "kube-system", "Corefile"
_NOTED = "meshproof.io/corefile"
_CALLS, _CONNECTIONS = 20, 12


def zone_file(addresses: dict[str, str]) -> str:
    """What the zone's server goes by. ``addresses``: by name.

    Templates, since the plug-in ``hosts`` answers SERVFAIL for what it does not have: whatever is
    not among the names does not exist, and is said not to. The first that fits answers.
    """
    return ".:53 {\n    errors\n" + "".join(
        [
            *(
                _template("A", name, f'answer "{{{{ .Name }}}} 1 IN A {address}"')
                for name, address in addresses.items()
            ),
            *(_template("ANY", name, "rcode NOERROR") for name in addresses),
            "    template ANY ANY {\n        rcode NXDOMAIN\n    }\n}\n",
        ]
    )


def _template(kind: str, name: str, does: str) -> str:
    match = name.replace(".", "[.]")
    lines = (f'match "^{match}[.]$"', does, "fallthrough")
    return f"    template IN {kind} {{\n" + "".join(f"        {one}\n" for one in lines) + "    }\n"


def forwarding(corefile: str, server: str) -> str:
    """The configuration of a cluster's DNS with the zone forwarded to a server."""
    return f"{ZONE}:53 {{\n    errors\n    forward . {server}\n}}\n{corefile}"


@contextmanager
def zones_forwarded(sample: Sample) -> Iterator[None]:
    """As ``zone_forwarded``, for all consumers at once."""
    with ExitStack() as stack:
        for name in dict.fromkeys(name for name, _ in sample.topology.imports):
            stack.enter_context(zone_forwarded(sample, name))
        yield


@contextmanager
def zone_forwarded(sample: Sample, importer: str) -> Iterator[None]:
    """The consumer's cluster has the zone's server, its DNS forwards the zone there, and it has a
    sleep with the suffix, inside the block; afterwards its DNS is as it was, or the mesh is marked
    dirty. Raises LabError when one of them will not run."""
    cluster = sample.mesh.cluster(importer)
    mine = [one for who, one in sample.topology.imports if who == importer]
    plain = sample.caller(importer)

    def known() -> bool:
        return all(told(sample, plain, one.host).exists for one in mine)

    topology = sample.topology
    addresses = {one.host: str(address_of(topology, one)) for one in mine}
    try:
        with ExitStack() as stack:
            stack.enter_context(applied(cluster, _server(cluster, addresses)))
            stack.enter_context(applied(cluster, suffixed_sleep()))
            await_rollout(cluster, SYSTEM, {_SERVER}, sample.mesh.shell)
            await_rollout(cluster, NAMESPACE, {SUFFIXED}, sample.mesh.shell)
            stack.enter_context(_forwarded(cluster))
            arrive(sample.mesh, known, what=f"the zone {ZONE} in {importer}")
            yield
    finally:
        sample.callers.pop((importer, f"{NAMESPACE}/{SUFFIXED}"), None)
        await_healed(sample, lambda: not known(), f"the end of the zone {ZONE} in {importer}")


def suffixed_sleep() -> list[Object]:
    """A sleep whose pod looks for names in the zone too, after its cluster's own."""
    objects = sleep_objects(name=SUFFIXED)
    objects[-1]["spec"]["template"]["spec"]["dnsConfig"] = {"searches": [ZONE]}
    return objects


def resolves_by_the_clusters_dns(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """A sidecar without a DNS proxy is told the global name's address by the cluster's DNS, is
    answered by it, and is told that what nobody exposes is not there."""
    caller = sample.caller(importer)
    answer = told(sample, caller, imported.host)
    other = f"nobody.{imported.host}"
    responses = call(sample, caller, Plan(url_of(imported), times=_CALLS))
    return all_of(
        [
            exists(imported.host, f"{importer}'s DNS", answer),
            unknown(other, f"{importer}'s DNS", told(sample, caller, other), answer),
            answered_by_the_provider(sample, imported, responses),
        ]
    )


def short_name_leads(
    sample: Sample, importer: str, imported: Exposure, app: str = SUFFIXED
) -> Verdict:
    """The name without its zone leads to the consumer's own Service where it has one of that name,
    and else to the other mesh, by plain TCP: of HTTP a proxy goes by the name that is asked for."""
    short = imported.host.removesuffix(f".{ZONE}")
    own = short == imported.service
    due = sample.reached_from(importer) if own else exposed_versions(sample, imported)
    made = connect(sample, sample.caller(importer, app), _CONNECTIONS, to=f"{short}:{TCP_PORT}")
    expected = f"{len(made)} connections to {short} to be greeted by {' or '.join(due)}"
    astray = [one for one in made if not one.heard or due.get(str(one.agreed)) != one.cluster]
    if astray:
        return Verdict(Outcome.FAIL, expected, f"{len(astray)} were not, such as {astray[0]}")
    unlogged = [one for one in made if one.log is None]
    if unlogged or not made:
        observed = f"{len(unlogged)} of {len(made)} without a line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"such as {made[0]}")


@contextmanager
def _forwarded(cluster: RunningCluster) -> Iterator[None]:
    cluster.check_changeable("the DNS")
    with lab_errors(f"read {_DNS} of {cluster.name}"):
        before = cluster.core.read_namespaced_config_map(_DNS, _KUBE_SYSTEM).data[_KEY]
        server = cluster.core.read_namespaced_service(_SERVER, SYSTEM).spec.cluster_ip
    try:
        _write(cluster, forwarding(before, server))
        yield
    finally:
        _write(cluster, before)


def _write(cluster: RunningCluster, text: str) -> None:
    pod = dns_pod(cluster).metadata.name
    with lab_errors(f"write {_DNS} of {cluster.name}"):
        cluster.core.patch_namespaced_config_map(_DNS, _KUBE_SYSTEM, {"data": {_KEY: text}})
        # A kubelet looks at the volumes of pods once a minute, and of one that changes at once.
        noted = {"metadata": {"annotations": {_NOTED: secrets.token_hex(4)}}}
        cluster.core.patch_namespaced_pod(pod, _KUBE_SYSTEM, noted)


def _server(cluster: RunningCluster, addresses: dict[str, str]) -> list[Object]:
    """The zone's server: CoreDNS as the cluster itself runs it."""
    with lab_errors(f"find the DNS of {cluster.name}"):
        found = client.AppsV1Api(cluster.api).read_namespaced_deployment(_DNS, _KUBE_SYSTEM)
    image = found.spec.template.spec.containers[0].image
    metadata = {"name": _SERVER, "namespace": SYSTEM}
    labels = {"app": _SERVER}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    template = {"metadata": {"labels": labels}, "spec": _pod(image)}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {_KEY: zone_file(addresses)},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": ports},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
    ]


def _pod(image: str) -> dict[str, object]:
    """What the zone's server runs as."""
    container = {
        "name": _DNS,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", f"/etc/{_DNS}/{_KEY}"],
        "volumeMounts": [{"name": "zone", "mountPath": f"/etc/{_DNS}"}],
    }
    return {
        "terminationGracePeriodSeconds": 0,
        "containers": [container],
        "volumes": [{"name": "zone", "configMap": {"name": _SERVER}}],
    }
