"""A service outside all meshes, of which each of them has an entry of its own.

https://istio.io/latest/docs/reference/config/networking/service-entry/
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.artifacts.images import SERVER
from meshproof.expect import Outcome, Verdict, all_of, succeeded, went_through
from meshproof.expect.control import as_control, with_control
from meshproof.kube.objects import Object
from meshproof.lab.outside import server_outside
from meshproof.mesh.configuration import configured
from meshproof.mesh.exposure import GLOBAL_ADDRESSES
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.response import Response
from meshproof.traffic.settle import arrive, await_healed
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import NAMESPACE, PORT, Sample
from suites.federation.setting import asker, told

INDEPENDENT = "independent.example"
"""The service's name, which is nobody's but that of whoever has an entry of it."""
EXTERNAL = "external"
"""The version that the server says it is."""
URL = f"http://{INDEPENDENT}:{PORT}/hello"
_ADDRESS = GLOBAL_ADDRESSES[250]
_CALLS = 20


def entry(address: IPv4Address) -> Object:
    """What a mesh writes of it. ``address``: where it is."""
    spec = {
        "hosts": [INDEPENDENT],
        "location": "MESH_EXTERNAL",
        "resolution": "STATIC",
        "addresses": [str(_ADDRESS)],
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": str(address)}],
        "exportTo": ["."],
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "independent", "namespace": NAMESPACE},
        "spec": spec,
    }


@contextmanager
def entered(sample: Sample, clusters: Collection[str]) -> Iterator[Way]:
    """The server runs, and these clusters' configuration has an entry of it, inside the block, and
    their callers are answered, or half a minute has passed; afterwards they have forgotten it, or
    the mesh is marked dirty. Yields where the server is."""
    callers = [
        asker(sample, name)
        for name in sample.clusters
        if sample.topology.configured_by(name) in clusters
    ]
    service, plan = outbound(INDEPENDENT, PORT), Plan(URL, fresh=True)

    def ignorant() -> list[str]:
        return [
            str(one)
            for one in callers
            if not told(sample, one, INDEPENDENT).exists
            or not all(reply.succeeded for reply in answers(sample, one, plan))
        ]

    program = sample.mesh.bundle.ours / SERVER
    environment = {"SERVICE_VERSION": EXTERNAL, "HOSTNAME": EXTERNAL, "HTTP_PORT": str(PORT)}
    try:
        with (
            server_outside(sample.mesh.lab, program, environment) as address,
            configured(sample.mesh, [entry(address)], clusters),
        ):
            arrive(sample.mesh, ignorant, until=lambda who: not who, what=INDEPENDENT)
            yield Way(address, PORT)
    finally:
        await_healed(
            sample,
            lambda: not any(endpoints(one, service) for one in callers),
            f"the end of {INDEPENDENT}",
        )


def reached_by_its_entry(sample: Sample, caller: str, where: Way) -> Verdict:
    """Calls by the service's name are answered by the server outside, in plain text, straight from
    the caller's proxy, which knows it by the mesh's own entry: no gateway has a part in them, while
    one has in calls by a global name."""
    watched = watch(sample, asker(sample, caller), Plan(URL, times=_CALLS))
    responses = watched.responses
    imported = next(one for name, one in sample.topology.imports if name == caller)
    return all_of(
        [
            succeeded(responses),
            _answered_outside(responses),
            went_through(responses, [str(where)], "its own entry"),
            _by_the_entry(responses),
            with_control(_past_gateways(watched), _by_a_gateway(sample, caller, imported)),
        ]
    )


def _answered_outside(responses: Sequence[Response]) -> Verdict:
    other = [one for one in responses if one.succeeded and one.version != EXTERNAL]
    expected = f"{len(responses)} calls to be answered by {EXTERNAL}, outside all meshes"
    if other:
        return Verdict(Outcome.FAIL, expected, f"{len(other)} were by {other[0].version}")
    known = [one.identity for one in responses if one.identity]
    if known:
        return Verdict(Outcome.FAIL, expected, f"{len(known)} came by mutual TLS, as {known[0]}")
    return Verdict(Outcome.PASS, expected, "all of them, without a certificate")


def _by_the_entry(responses: Sequence[Response]) -> Verdict:
    due = outbound(INDEPENDENT, PORT)
    expected = f"{len(responses)} calls to be sent to {due}, in plain text"
    logs = [one.log for one in responses if one.log is not None]
    other = [log for log in logs if log.upstream_cluster != due or log.upstream_peer]
    if other:
        where = f"{other[0].upstream_cluster or 'nowhere'} ({other[0].upstream_peer or 'nobody'})"
        return Verdict(Outcome.FAIL, expected, f"{len(other)} were sent to {where}")
    outcome = Outcome.PASS if logs and len(logs) == len(responses) else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{len(logs)} with a line in the caller's access log")


def _past_gateways(watched: Watched) -> Verdict:
    crossed = _at_gateways(watched)
    expected = f"nothing to set out from {watched.caller.cluster} for any gateway"
    outcome = Outcome.FAIL if crossed else Outcome.PASS
    return Verdict(outcome, expected, f"{crossed} segments did")


def _by_a_gateway(sample: Sample, caller: str, imported: Exposure) -> Verdict:
    """The control: the wire shows what does go by a gateway."""
    crossed = _at_gateways(watch(sample, asker(sample, caller), Plan(url_of(imported), _CALLS)))
    expected = f"calls from {caller} to {imported.host} to set out for a gateway"
    outcome = Outcome.PASS if crossed else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"{crossed} segments did"))


def _at_gateways(watched: Watched) -> int:
    """Segments to all gateways that lead other networks to any cluster."""
    mesh, names = watched.sample.mesh, watched.sample.clusters
    ways = {way for name in names for way in mesh.ways_to(name).values()}
    kinds = ("tls", "http")
    return sum(watched.towards(one.address, one.port, kind) for one in ways for kind in kinds)
