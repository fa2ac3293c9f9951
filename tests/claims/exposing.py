"""Meshes that expose services to each other, in a world: who calls, and what is changed of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

from meshproof.files import topology_named
from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.proxy import Endpoint
from meshproof.model import Mtls
from meshproof.traffic.tls_question import TlsAnswer
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import PORT
from suites.federation.claims import (
    calls_by_global_name,
)
from tests.claims.changes import (
    after,
    changed,
    failing,
)
from tests.claims.greeting import Met
from tests.claims.table import (
    Doing,
    Setting,
    Stage,
    on,
)
from tests.claims.tls import Question
from tests.claims.world import Came
from tests.doubles.calls import Call

FEDERATION = "federation"
TOPOLOGY = topology_named(FEDERATION)
IMPORTED = next(one for who, one in TOPOLOGY.imports if who == "east")
GATEWAY = Endpoint("172.30.2.200", 15443, 1, True)
SERVICE = IPv4Address("10.110.7.7")
FOUND = NameAnswer("NOERROR", (IPv4Address("240.0.0.9"),))
SNIS = ["outbound_.5000_._.private-west.sample.svc.cluster.local", "private-west.sample.global"]


def with_askers(stage: Stage) -> None:
    """Each cluster has a sleep whose sidecar answers names; gateways lead to what is exposed."""
    for name in stage.world.sample.clusters:
        sleep = stage.world.pod("sleep", name)
        pod = replace(sleep, name=f"{DNS_SLEEP}-{name}", account=DNS_SLEEP)
        stage.world.pods.append(replace(pod, address=sleep.address + 50))
    stage.tls.snis = {sni_of(IMPORTED.host, PORT)}


def of(
    *more: object,
    before: Doing = with_askers,
    mtls: Mtls = Mtls.STRICT,
    variant: str = "",
) -> Setting:
    """A claim of what east imports from west."""
    given, variants = ("east", IMPORTED, *more), [variant] if variant else []
    return on(*given, topology=FEDERATION, mtls=mtls, variants=variants, before=before)


def by_name(call: Call) -> bool:
    return call.host == IMPORTED.host


def plainly(call: Call) -> bool:
    return not by_name(call)


def served_by(version: str, when: Callable[[Call], bool]) -> Doing:
    """A version answers some calls, whoever should."""

    def done(stage: Stage) -> None:
        (server,) = stage.world.servers(version)
        changed(lambda call, _: stage.world.served(call, server), when)(stage)

    return done


def heard_as(**fields: object) -> Doing:
    """The servers' proxies log something else."""

    def other(_: Call, came: Came) -> Came:
        return replace(came, heard=tuple((pod, {**line, **fields}) for pod, line in came.heard))

    return changed(other)


def served_as(identity: str) -> Doing:
    """Servers' proxies say that they are somebody else."""

    def other(_: Call, came: Came) -> Came:
        own = "spiffe://beta.example/ns/sample/sa/helloworld"
        body = came.reply.body.replace(f"By={own}", f"By={identity}")
        return replace(came, reply=replace(came.reply, body=body))

    return changed(other)


def also_in_plain_text(_: Call, came: Came) -> Came:
    more = tuple((at, "http", flow) for at, _, flow in came.crossed)
    return replace(came, crossed=came.crossed + more)


def knowing(*known: Endpoint, of_host: str = "helloworld") -> Doing:
    """Proxies know these endpoints of a service."""

    def done(stage: Stage) -> None:
        before = stage.world.known
        stage.world.known = lambda pod, service, version: (
            list(known)
            if service == of_host and pod.cluster == "east"
            else before(pod, service, version)
        )

    return done


def at_home(met: Met) -> Met:
    """The server says that it is another version than its pod's label does."""
    return replace(met, server=replace(met.server, version="v1"))


def without_instances(stage: Stage) -> None:
    """East has no instance of its own any more."""
    with_askers(stage)
    stage.world.pods = [one for one in stage.world.pods if one.version != "v1"]


def answered_in_west(stage: Stage) -> None:
    """The address of the Service is answered where it has it."""
    with_askers(stage)
    inside = served_by("v2", lambda call: call.caller.cluster == "west")
    after(inside)(stage)


def saying(page: str, *more: object) -> Doing:
    """An istiod's page has something more."""

    def done(stage: Stage) -> None:
        before = stage.world.debug[page]
        stage.world.debug[page] = lambda name: [*before(name), *more]

    return done


def instead(page: str, told: object) -> Doing:
    """An istiod's page says something else."""

    def done(stage: Stage) -> None:
        stage.world.debug[page] = lambda _: told

    return done


def reading_everything(stage: Stage) -> None:
    """An istiod has read the endpoints of both clusters."""
    own = stage.world.debug["endpointShardz"]

    def both(_: str) -> object:
        east, west = own("east"), own("west")
        for namespaces, theirs in zip(east.values(), west.values(), strict=True):
            for name, told in namespaces.items():
                told["Shards"] |= theirs[name]["Shards"]
        return east

    stage.world.debug["endpointShardz"] = both


def told(answer: NameAnswer, name: str, where: str = "", *, proxied: bool = True) -> Doing:
    """Who asks for a name is told something else."""

    def done(stage: Stage) -> None:
        before = stage.world.names

        def other(who: Workload, asked: str) -> NameAnswer:
            meant = name in asked and where in who.cluster
            meant = meant and who.name.startswith(DNS_SLEEP) is proxied
            return answer if meant else before(who, asked)

        stage.world.names = other

    return done


def shown(change: Callable[[Question, TlsAnswer], TlsAnswer]) -> Doing:
    return lambda stage: stage.tls.changes.append(change)


def silent(stage: Stage) -> None:
    stage.tls.telling = False


def ruled(stage: Stage) -> None:
    """Rules are in force: a header chooses a subset, or a fault."""
    with_askers(stage)
    world = stage.world
    world.subset = lambda call, server: str(call.headers.get("x-subset", ""))
    faulty = failing(418, "FI", "fault_filter_abort", lambda call: "x-fault" in call.headers)
    faulty(stage)


def of_calls(*more: object, imported_first: bool = True) -> Setting:
    """A claim of calls by the global name, which are made first. ``imported_first``: the claim is
    not given who called."""

    def given(stage: Stage) -> tuple[object, ...]:
        sample = stage.world.sample
        responses = calls_by_global_name(sample, "east", IMPORTED)
        who = () if imported_first else ("east",)
        return (sample, *who, IMPORTED, responses, *more)

    return Setting(given, FEDERATION, before=with_askers)
