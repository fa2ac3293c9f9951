"""The faults that there are, by name: for a kept lab, from the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from meshproof.errors import UsageError
from meshproof.faults import between, credential, discovery, dns, gateway, istiod, workload
from meshproof.faults.api_server import account_refused, api_server_stopped
from meshproof.faults.node import nodes_stopped
from meshproof.faults.unhealed import Stays
from meshproof.kube.cluster import RunningCluster
from meshproof.lab.base import Lab
from meshproof.model import Flow
from meshproof.nearest import choose

Broken = AbstractContextManager[object]
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set"""
_STATUS = re.compile(r"[45][0-9]{2}")
_FLOWS = {"api": Flow.API, "gateway": Flow.GATEWAY, "pod": Flow.POD, "everything": Flow.ANYTHING}


@dataclass(frozen=True, slots=True)
class Words:
    """What a fault is given on the command line, word by word, on a lab."""

    lab: Lab
    given: Sequence[str]

    def cluster(self, place: int) -> str:
        """The name of a cluster. Raises UsageError for what is none."""
        name = self.given[place]
        if name not in self.lab.clusters:
            raise UsageError(
                f"lab {self.lab.id} has no cluster '{name}'", choose(name, self.lab.clusters)
            )
        return name

    def running(self, place: int) -> RunningCluster:
        """The cluster itself. Raises UsageError as ``cluster``."""
        return self.lab.clusters[self.cluster(place)]

    def number(self, place: int) -> float:
        """A number above 0. Raises UsageError for what is none."""
        text = self.given[place]
        if not text.isascii() or not text.replace(".", "", 1).isdigit() or not float(text) > 0:
            raise UsageError(f"'{text[:40]}' is no number above 0", "write one, such as 5")
        return float(text)

    def version(self, place: int) -> str:
        """The version of helloworld. Raises UsageError for what can be none."""
        text = self.given[place]
        if not _LABEL.fullmatch(text):
            raise UsageError(f"'{text[:40]}' is no version", "name one, such as v1")
        return text

    def status(self, place: int) -> int:
        """HTTP's status of an error, 503 by default. Raises UsageError for what is none."""
        text = self.given[place] if len(self.given) > place else "503"
        if not _STATUS.fullmatch(text):
            raise UsageError(f"'{text[:40]}' is no status of an error", "write one, such as 503")
        return int(text)

    def flow(self, place: int) -> Flow:
        """A kind of flow, everything by default. Raises UsageError for what is none."""
        name = self.given[place] if len(self.given) > place else "everything"
        if name not in _FLOWS:
            raise UsageError(f"there is no flow '{name[:40]}'", choose(name, _FLOWS))
        return _FLOWS[name]


@dataclass(frozen=True, slots=True)
class Fault:
    """``what``: what is broken while it is in force; ``takes``: the words that it needs, those in
    brackets perhaps; ``begin``: breaks it; ``stays``: what becomes of it after ``kill -9``;
    ``once``: it is over as soon as it was done; ``netem``: it needs a kernel that can delay
    packets."""

    what: str
    takes: tuple[str, ...]
    begin: Callable[[Words], Broken]
    stays: Stays = Stays.IN_MESH
    once: bool = False
    netem: bool = False

    def check(self, name: str, given: Sequence[str]) -> None:
        """Raise UsageError when these are too many words for it, or too few."""
        least = sum(not word.startswith("[") for word in self.takes)
        if not least <= len(given) <= len(self.takes):
            wanted = " ".join(self.takes) or "nothing"
            raise UsageError(
                f"the fault {name} takes {wanted}, and was given {len(given)} words",
                f"write 'meshproof fault LAB {' '.join((name, *self.takes))}'",
            )


def fault_named(name: str) -> Fault:
    """A fault of the catalogue. Raises UsageError for what is none."""
    if name not in FAULTS:
        raise UsageError(f"there is no fault '{name[:40]}'", choose(name, FAULTS))
    return FAULTS[name]


@contextmanager
def _done(act: Callable[[], None]) -> Iterator[None]:
    """What is done once, and leaves nothing to be healed."""
    act()
    yield


def _partition(words: Words) -> Broken:
    pair = words.cluster(0), words.cluster(1)
    return between.partitioned(words.lab, [pair, pair[::-1]], [words.flow(2)])


def _one_way(words: Words) -> Broken:
    pair = words.cluster(0), words.cluster(1)
    return between.partitioned(words.lab, [pair], [words.flow(2)])


def _slow_istiod(words: Words) -> Broken:
    processors = words.given[1] if len(words.given) > 1 else "20m"
    return istiod.istiod_slow(words.running(0), words.lab.shell, processors)


FAULTS: Mapping[str, Fault] = {
    "partition": Fault(
        "Nothing, or nothing of one kind (api, gateway, pod), passes between two clusters.",
        ("CLUSTER", "CLUSTER", "[FLOW]"),
        _partition,
        Stays.IN_LAB,
    ),
    "one-way-partition": Fault(
        "The same from the first cluster to the second alone.",
        ("CLUSTER", "CLUSTER", "[FLOW]"),
        _one_way,
        Stays.IN_LAB,
    ),
    "loss": Fault(
        "So many packets of a hundred from one cluster to another are lost.",
        ("CLUSTER", "CLUSTER", "PERCENT"),
        lambda one: between.lossy(one.lab, (one.cluster(0), one.cluster(1)), one.number(2)),
        Stays.IN_LAB,
    ),
    "thin-path": Fault(
        "No more than so many kbit a second get into a cluster from others.",
        ("CLUSTER", "KBIT"),
        lambda one: between.thin(one.lab, one.cluster(0), round(one.number(1))),
        Stays.IN_LAB,
    ),
    "delay": Fault(
        "What others send into a cluster gets there so many milliseconds later.",
        ("CLUSTER", "MILLISECONDS"),
        lambda one: between.delayed(one.lab, one.cluster(0), round(one.number(1))),
        Stays.IN_LAB,
        netem=True,
    ),
    "reset": Fault(
        "All connections that are open between clusters are reset.",
        (),
        lambda one: _done(lambda: between.reset_connections(one.lab)),
        once=True,
    ),
    "no-istiod": Fault(
        "No istiod runs in a cluster.",
        ("CLUSTER",),
        lambda one: istiod.istiod_stopped(one.running(0), one.lab.shell),
    ),
    "slow-istiod": Fault(
        "istiod in a cluster has only so much of a processor, by default 20m.",
        ("CLUSTER", "[PROCESSORS]"),
        _slow_istiod,
    ),
    "istiod-restart": Fault(
        "istiod in a cluster is restarted.",
        ("CLUSTER",),
        lambda one: _done(lambda: istiod.restart_istiod(one.running(0), one.lab.shell)),
        once=True,
    ),
    "istiod-kill": Fault(
        "istiod in a cluster is killed.",
        ("CLUSTER",),
        lambda one: _done(lambda: istiod.kill_istiod(one.running(0), one.lab.shell)),
        once=True,
    ),
    "no-api-server": Fault(
        "No API server runs in a cluster.",
        ("CLUSTER",),
        lambda one: api_server_stopped(one.running(0)),
        Stays.IN_LAB,
    ),
    "account-refused": Fault(
        "A cluster's API server lets the account of remote secrets do nothing.",
        ("CLUSTER",),
        lambda one: account_refused(one.running(0), discovery.READER),
    ),
    "no-gateway": Fault(
        "A cluster's east-west gateway is drained: its pods end in good order, and there are none.",
        ("CLUSTER",),
        lambda one: gateway.gateway_scaled(one.running(0), 0, one.lab.shell),
    ),
    "gateway-kill": Fault(
        "The pods of a cluster's east-west gateway are killed.",
        ("CLUSTER",),
        lambda one: _done(lambda: gateway.kill_gateway(one.running(0))),
        once=True,
    ),
    "gateway-pod-kill": Fault(
        "The oldest pod of a cluster's east-west gateway is killed, of several that one alone.",
        ("CLUSTER",),
        lambda one: _done(lambda: gateway.kill_gateway_pod(one.running(0))),
        once=True,
    ),
    "gateway-moved": Fault(
        "A cluster's east-west gateway has another address, or another host name.",
        ("CLUSTER",),
        lambda one: gateway.gateway_moved(one.lab, one.cluster(0)),
    ),
    "second-gateway": Fault(
        "A cluster's network is entered at a second address as well.",
        ("CLUSTER",),
        lambda one: gateway.second_gateway(one.lab, one.cluster(0)),
    ),
    "no-dns": Fault(
        "No DNS server runs in a cluster.",
        ("CLUSTER",),
        lambda one: dns.dns_stopped(one.running(0), one.lab.shell),
        Stays.IN_LAB,
    ),
    "no-load-balancer-names": Fault(
        "The DNS of a cluster knows no host names of load balancers.",
        ("CLUSTER",),
        lambda one: dns.load_balancers_unnamed(one.running(0)),
        Stays.IN_LAB,
    ),
    "no-remote-secret": Fault(
        "istiod in the first cluster has no remote secret of the second.",
        ("CLUSTER", "CLUSTER"),
        lambda one: discovery.unread(one.running(0), one.running(1)),
    ),
    "secret-rewritten": Fault(
        "The remote secret of the second cluster in the first says the same in other words.",
        ("CLUSTER", "CLUSTER"),
        lambda one: credential.rewritten(one.running(0), one.running(1)),
    ),
    "secret-rotated": Fault(
        "The remote secret of the second cluster in the first has another token.",
        ("CLUSTER", "CLUSTER"),
        lambda one: credential.rotated(one.running(0), one.running(1)),
    ),
    "secret-expires": Fault(
        "The remote secret of the second cluster in the first has a token that expires after so "
        "many seconds.",
        ("CLUSTER", "CLUSTER", "SECONDS"),
        lambda one: credential.expiring(one.running(0), one.running(1), one.number(2)),
    ),
    "token-revoked": Fault(
        "A cluster's API server does not know the token that remote secrets of it have.",
        ("CLUSTER",),
        lambda one: discovery.revoked(one.running(0)),
    ),
    "pods-kill": Fault(
        "The pods of a version in a cluster are killed.",
        ("CLUSTER", "VERSION"),
        lambda one: _done(lambda: workload.kill_pods(one.running(0), one.version(1))),
        once=True,
    ),
    "pods-unready": Fault(
        "The pods of a version in a cluster are not ready.",
        ("CLUSTER", "VERSION"),
        lambda one: workload.pods_unready(one.running(0), one.version(1)),
        Stays.IN_LAB,
    ),
    "pods-failing": Fault(
        "All requests to a version are answered with an error, by default 503.",
        ("VERSION", "[STATUS]"),
        lambda one: workload.pods_failing(one.lab, one.version(0), one.status(1)),
    ),
    "pods-slow": Fault(
        "All requests to a version are answered so many seconds later.",
        ("VERSION", "SECONDS"),
        lambda one: workload.pods_slow(one.lab, one.version(0), one.number(1)),
    ),
    "no-nodes": Fault(
        "All nodes of a cluster are stopped, as by a power failure; healed is what has restarted.",
        ("CLUSTER",),
        lambda one: nodes_stopped(one.lab, one.cluster(0)),
        Stays.UNTIL_USED,
    ),
}
"""By name. Each says in its own docstring when it is in force, and healed."""
