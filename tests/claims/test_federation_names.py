"""What is claimed of global names by other means than the sidecar's DNS proxy and hand-written
addresses."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.kube.asking import Failed, Failure, Reply
from meshproof.kube.names import NameAnswer
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import SLEEP
from suites.federation.loopback import TAKING, loopback_leads_who_takes_it
from suites.federation.naming import has_an_allocated_address
from suites.federation.zone import (
    forwarding,
    resolves_by_the_clusters_dns,
    short_name_leads,
    suffixed_sleep,
    zone_file,
)
from tests.claims.changes import after, changed, failing, unlogged
from tests.claims.exposing import (
    FOUND,
    IMPORTED,
    TOPOLOGY,
    by_name,
    of,
    served_by,
    told,
    with_askers,
)
from tests.claims.greeting import Met, greeter
from tests.claims.table import (
    NO_LINE,
    Case,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.told import NXDOMAIN
from tests.doubles.calls import Call

LOOPBACK = IPv4Address("127.2.0.3")
ALLOCATED = NameAnswer("NOERROR", (IPv4Address("240.240.0.7"),))
OTHER = next(one for who, one in TOPOLOGY.imports if who == "west")
FORWARDED = after(
    told(FOUND, IMPORTED.host, proxied=False), told(NXDOMAIN, "nobody.", proxied=False)
)
"""The cluster's DNS knows the zone."""


def elsewhere(met: Met) -> Met:
    """The server says that it is another version than its pod's label does."""
    return replace(met, server=replace(met.server, version="v9"))


def of_the_other_way(stage: Stage) -> tuple[object, ...]:
    return stage.world.sample, "west", OTHER, SLEEP


def answered_in_east(stage: Stage) -> None:
    """Who looks for the short name in the zone as well comes to the other mesh."""
    (server,) = stage.world.servers("v1")
    greeter(lambda met: replace(met, server=server))(stage)


def at_home(call: Call) -> bool:
    """Calls of sidecars that take no loopback address."""
    return call.caller.name.startswith(DNS_SLEEP)


def at_loopback(stage: Stage) -> None:
    """East has a sleep whose sidecar takes loopback addresses, and names have one."""
    with_askers(stage)
    sleep = stage.world.pod("sleep", "east")
    taking = replace(sleep, name=f"{TAKING}-east", account=TAKING, address=sleep.address + 51)
    stage.world.pods.append(taking)
    answer = NameAnswer("NOERROR", (LOOPBACK,))
    told(answer, IMPORTED.host)(stage)
    told(answer, IMPORTED.host, proxied=False)(stage)
    nobody = Reply(failure=Failure(Failed.REFUSED, "connection refused"))
    changed(lambda _, came: replace(came, reply=nobody, server=None, line=None), at_home)(stage)


CASES = [
    *cases(
        loopback_leads_who_takes_it,
        of(before=at_loopback),
        passes(),
        fails("v1 from east", served_by("v1", by_name)),
        fails("20 x 503", failing(503, "UF", "upstream_reset", at_home)),
        unclear("sleep-dns-east is told 240.0.0.9", told(FOUND, IMPORTED.host)),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        has_an_allocated_address,
        of(),
        passes(doing=told(ALLOCATED, IMPORTED.host)),
        fails("NOERROR 240.0.0.3"),
        fails("NXDOMAIN", told(NXDOMAIN, IMPORTED.host)),
        unclear(NO_LINE, after(told(ALLOCATED, IMPORTED.host), unlogged())),
    ),
    *cases(
        resolves_by_the_clusters_dns,
        of(),
        passes(doing=FORWARDED),
        fails("NXDOMAIN"),
        fails("exists in", told(FOUND, IMPORTED.host, proxied=False)),
        unclear("SERVFAIL", told(NameAnswer("SERVFAIL"), IMPORTED.host, proxied=False)),
    ),
    *cases(
        short_name_leads,
        of(SLEEP),
        passes(doing=greeter()),
        fails("12 were not", greeter(elsewhere)),
        unclear("12 of 12 without a line", greeter(lambda met: replace(met, line=None))),
    ),
    *cases(
        short_name_leads,
        Setting(of_the_other_way, "federation", before=with_askers),
        passes(doing=answered_in_east),
        fails("12 were not, such as", greeter()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_names(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_the_zone_is_what_entries_say_and_nothing_else() -> None:
    asked = zone_file({"helloworld.sample.global": "240.0.0.3"})
    known = 'match "^helloworld[.]sample[.]global[.]$"'
    assert asked.count(known) == 2
    answer = asked.index('answer "{{ .Name }} 1 IN A 240.0.0.3"')
    assert asked.index(known) < answer < asked.index("rcode NOERROR") < asked.index("NXDOMAIN")
    corefile = forwarding(".:53 {\n}\n", "10.110.9.9")
    assert corefile.startswith("global:53 {\n    errors\n    forward . 10.110.9.9\n}\n")
    assert corefile.endswith(".:53 {\n}\n")
    assert suffixed_sleep()[-1]["spec"]["template"]["spec"]["dnsConfig"] == {"searches": ["global"]}
