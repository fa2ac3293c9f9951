"""Servers that fail, or answer late, when a caller asks for it: one version alone, in its own
proxy, so that other proxies take it for the server's doing.

Fields: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/fault_filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import inbound_chains
from meshproof.mesh.configuration import configured
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.drain import draining
from meshproof.traffic.renewal import renew_connections
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample

FILTER = "meshproof-faults"
"""By which the filter is known in a server's configuration."""
_CHOSEN = "x-faulty"
_FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
_MANAGER = "envoy.filters.network.http_connection_manager"
_ROUTER = "envoy.filters.http.router"
ALWAYS = {"numerator": 100}
"""All of them, as Envoy writes parts."""
_SHOWN = 430
"""A status that nobody else answers with, and no error of a server: rules for errors, which send
calls again or count them, leave it alone."""
_CALLS = 40
"""A connection for each: a proxy has two workers, which hold connections of their own."""


def failing(version: str, status: int = 503) -> dict[str, str]:
    """The headers of a request that a version answers with this status."""
    return {_CHOSEN: version, "x-envoy-fault-abort-request": str(status)}


def slow(version: str, seconds: float) -> dict[str, str]:
    """The headers of a request that a version answers so much later."""
    return {_CHOSEN: version, "x-envoy-fault-delay-request": str(round(seconds * 1000))}


@contextmanager
def faulty(sample: Sample) -> Iterator[None]:
    """The versions' proxies do inside the block what requests ask of them, as calls from every
    cluster show, and no more afterwards, or the mesh is marked dirty. Raises EvidenceError when
    they do not come to it."""
    servers = sample.every_server()

    def holding(*, it: bool) -> list[str]:
        """The servers whose proxies have the filter, or do not, where calls come in: in a chain for
        their port, and not for ports that no service names alone."""
        shell = sample.mesh.shell
        chains = side_by_side(shell, lambda one: inbound_chains(one, PORT), servers)
        found = zip(servers, chains, strict=True)
        return [str(one) for one, text in found if (FILTER in text) is it]

    renew_connections(sample)
    try:
        with configured(sample.mesh, [_filter(version) for version in sample.versions]):
            what = f"an end of servers without {FILTER} at {PORT}"
            require(lambda: holding(it=False), until=lambda lacking: not lacking, what=what)
            # A call that sets out on a connection that is being closed is a 503 as well.
            require(lambda: draining(sample), until=lambda told: told == "", what="old connections")
            what = "an end of calls without the fault that they ask for"
            require(lambda: _spared(sample), until=lambda told: not told, what=what)
            yield
    finally:
        await_healed(sample, lambda: not holding(it=True), "the end of faults")


def _spared(sample: Sample) -> list[str]:
    """Who calls a version and does not meet the fault that it asks for, with how often.

    What a proxy's configuration says is not enough: connections that it passes on unread
    (``passed_unread``) go by all of it.
    """

    def of(cluster: str) -> list[str]:
        told = []
        for version in sample.reached_from(cluster):
            plan = Plan(times=_CALLS, headers=failing(version, _SHOWN), fresh=True)
            responses = answers(sample, sample.caller(cluster), plan)
            met = sum(one.status == _SHOWN for one in responses)
            spared = [one for one in responses if one.status != _SHOWN and one.version == version]
            if spared or not met:
                example = f", such as {spared[0]}" if spared else ""
                told.append(f"{cluster} to {version}: {met} met it, {len(spared)} did not{example}")
        return told

    found = side_by_side(sample.mesh.shell, of, list(sample.clusters))
    return [one for told in found for one in told]


def _filter(version: str) -> Object:
    asked_for = {
        "delay": {"header_delay": {}, "percentage": ALWAYS},
        "abort": {"header_abort": {}, "percentage": ALWAYS},
        "headers": [{"name": _CHOSEN, "string_match": {"exact": version}}],
    }
    return fault_filter(f"faults-of-{version}", version, asked_for)


def fault_filter(name: str, version: str, fault: Object) -> Object:
    """The object by which a version's proxies have a fault where requests come in. ``fault``: what
    it does, in the words of Envoy's filter; ``name``: the object's."""
    config = {"@type": _FAULT, **fault}
    manager = {"name": _MANAGER, "subFilter": {"name": _ROUTER}}
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": {"filter": manager}}},
        "patch": {
            "operation": "INSERT_BEFORE",
            "value": {"name": FILTER, "typed_config": config},
        },
    }
    labels = {"app": HELLOWORLD, "version": version}
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"workloadSelector": {"labels": labels}, "configPatches": [patch]},
    }
