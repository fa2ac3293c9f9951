"""The kinds of match that a route can have, each with requests that it takes and that it leaves.

Fields: https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import ROUTES, in_use
from meshproof.mesh.routes import (
    Tls,
    destination_rule,
    host_of,
    marking,
    to_versions,
    virtual_service,
)
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan
from meshproof.traffic.routing import in_force
from meshproof.traffic.services import offered
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import NAMESPACE, PORT, Sample, helloworld_service

SERVICE = "matched"
"""A Service before all versions that has two HTTP ports."""
OTHER_PORT = PORT + 1
MARK = "x-route"
"""The header in which a request is told which route took it."""
DEFAULT = "default"
"""The mark of what no match takes."""
_TIMES = 4
_HOST = host_of(SERVICE, NAMESPACE)


@dataclass(frozen=True)
class Kind:
    """A kind of match. ``match``: as the VirtualService has it; ``wide``: one that takes what
    ``misses`` are as well; ``hits`` and ``misses``: requests that it takes, and leaves."""

    name: str
    match: Object
    wide: Object
    hits: Sequence[Plan]
    misses: Sequence[Plan]


def request(path: str, port: int = PORT, method: str = "GET", **headers: str) -> Plan:
    """A request that is told by which route it came."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"http://{SERVICE}.{NAMESPACE}:{port}{path}"
    return Plan(url, _TIMES, {"x-show-headers": MARK, **named}, method=method)


def _uri(**match: str) -> Object:
    return {"uri": match}


URI_EXACT = Kind(
    "uri-exact",
    _uri(exact="/exact"),
    _uri(prefix="/exact"),
    [request("/exact"), request("/exact?more=yes")],
    [request("/exact/more"), request("/exactly"), request("/Exact")],
)
URI_PREFIX = Kind(
    "uri-prefix",
    _uri(prefix="/prefix/"),
    _uri(regex=".*/prefix.*"),
    [request("/prefix/"), request("/prefix/and/more")],
    [request("/before/prefix/"), request("/prefixed")],
)
URI_REGEX = Kind(
    "uri-regex",
    _uri(regex="/regex/[0-9]+"),
    _uri(prefix="/regex/"),
    [request("/regex/1"), request("/regex/20"), request("/regex/20?more=yes")],
    [request("/regex/one"), request("/regex/1/more"), request("/regex/")],
)
METHOD = Kind(
    "method",
    _uri(exact="/method") | {"method": {"exact": "PUT"}},
    _uri(exact="/method"),
    [request("/method", method="PUT")],
    [request("/method"), request("/method", method="DELETE")],
)
QUERY = Kind(
    "query",
    _uri(exact="/query") | {"queryParams": {"user": {"exact": "jason"}}},
    _uri(exact="/query"),
    [request("/query?user=jason"), request("/query?other=1&user=jason")],
    [request("/query"), request("/query?user=jasons"), request("/query?friend=jason")],
)
PORT_ASKED = Kind(
    "port",
    _uri(exact="/port") | {"port": OTHER_PORT},
    _uri(exact="/port"),
    [request("/port", OTHER_PORT)],
    [request("/port")],
)
HEADER_REGEX = Kind(
    "header-regex",
    _uri(exact="/header") | {"headers": {"x-user": {"regex": "j[a-z]+n"}}},
    _uri(exact="/header"),
    [request("/header", x_user="jason"), request("/header", x_user="jordan")],
    [request("/header"), request("/header", x_user="jn"), request("/header", x_user="jasons")],
)
HEADER_ABSENT = Kind(
    "header-absent",
    _uri(exact="/absent") | {"withoutHeaders": {"x-user": {}}},
    _uri(exact="/absent"),
    [request("/absent"), request("/absent", x_other="jason")],
    [request("/absent", x_user="jason")],
)
URIS = (URI_EXACT, URI_PREFIX, URI_REGEX)
HEADERS = (HEADER_REGEX, HEADER_ABSENT)
KINDS = (*URIS, METHOD, QUERY, PORT_ASKED, *HEADERS)


def routes(sample: Sample, *, wide: bool = False) -> list[Object]:
    """A route for each kind to one version, and one for the rest to another; each marks what it
    takes, and asks for the one path that helloworld has. ``wide``: by matches that take more."""
    otherwise, version = ends(sample)
    kinds = [
        _marked(kind.name, version) | {"match": [kind.wide if wide else kind.match]}
        for kind in KINDS
    ]
    rule = destination_rule(_HOST, [otherwise, version], Tls.ISTIO_MUTUAL)
    return [rule, virtual_service(_HOST, [*kinds, _marked(DEFAULT, otherwise)])]


def ends(sample: Sample) -> tuple[str, str]:
    """Two of the versions that all callers reach: the first is for what no match takes, the last
    for the rest."""
    return sample.common[0], sample.common[-1]


@contextmanager
def matching(sample: Sample, *, wide: bool = False) -> Iterator[None]:
    """The Service, and the routes in force on both its ports in the proxies of all callers, as far
    as they come into force within half a minute. Raises EvidenceError when the Service is not
    known."""
    service = helloworld_service(name=SERVICE)
    service["spec"]["ports"] += [{"name": "http-more", "port": OTHER_PORT, "targetPort": PORT}]
    rules = routes(sample, wide=wide)
    note = f"/virtual-service/{rules[-1]['metadata']['name']}"
    callers = [sample.caller(name) for name in sample.clusters]

    def ports(caller: Workload) -> int:
        """On how many ports a caller's proxy has the routes: each has a configuration of its
        own."""
        return sum(note in json.dumps(one) for one in json.loads(in_use(caller, ROUTES)))

    with offered(sample, [service]), in_force(sample, rules):
        arrive(
            sample.mesh,
            lambda: side_by_side(sample.mesh.shell, ports, callers),
            until=lambda found: min(found) >= 2,
            what="the routes on both ports",
        )
        yield


def _marked(mark: str, version: str) -> Object:
    rewrite = {"uriRegexRewrite": {"match": "^/.*$", "rewrite": "/hello"}}
    return marking(to_versions(_HOST, {version: 100}), {MARK: mark}) | {"rewrite": rewrite}
