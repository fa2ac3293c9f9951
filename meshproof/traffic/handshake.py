"""Handshakes with helloworld's sidecars by a caller of no mesh, and what their own logs say of it.

By default no proxy says why TLS handshakes fail: their loggers are turned up meanwhile.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from meshproof.kube.workload import Workload
from meshproof.mesh.credentials import Credential, installed_authority, issue
from meshproof.mesh.loggers import logging_at
from meshproof.mesh.trust import Authority
from meshproof.process import side_by_side
from meshproof.traffic.access_log import TurnedAway, log_from_now, turned_away_by
from meshproof.traffic.tls_question import TlsAnswer, ask
from meshproof.workloads.sample import SNI, Behind, Sample

# Seconds until the reason is in the log. Who has shown no certificate speaks no TLS, and has
# nothing to say of it.
_WITHIN, _UNLIKELY_WITHIN = 15.0, 2.0


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a proxy refuses a handshake: the alert that it sends, what its debug log says of it,
    and what a verdict says where it does not object."""

    alert: str
    logged: str
    otherwise: str


@dataclass(frozen=True)
class Handshake:
    """A question over TLS from ``outsider``, and its answer. ``lines``: what the logs of those
    that it may have come to say of it."""

    outsider: Workload
    behind: Behind
    answer: TlsAnswer
    lines: tuple[TurnedAway, ...] = ()


def refused_handshakes(
    sample: Sample, caller: str, shown: Credential | None, why: Objection
) -> list[Handshake]:
    """Shake hands from a cluster with helloworld's pods, each on the caller's network and one
    behind each gateway, with a certificate that should be refused, or with none.

    ``why``: what should be in the log of who refuses it; waited for, as far as the answer is a
    refusal. Raises LabError or EvidenceError when a log, or a proxy, cannot be asked.
    """
    behind = sample.behind(caller)
    with ExitStack() as stack:
        for server in dict.fromkeys(server for one in behind for server in one.servers):
            stack.enter_context(logging_at(server, "connection", "debug"))
        act = partial(_refused, sample.outsider(caller), shown, why)
        return side_by_side(sample.mesh.shell, act, behind)


def shake_hands(sample: Sample, caller: str, behind: Behind, shown: Credential) -> Handshake:
    """One handshake from a cluster, with a certificate that should be taken."""
    outsider = sample.outsider(caller)
    return Handshake(outsider, behind, _ask(outsider, behind, shown))


def certificate_of_sleep(sample: Sample, cluster: str) -> Credential:
    """A certificate for the identity of a cluster's sleep, by the authority that signs its own."""
    return certificate_for(sample, cluster, sample.caller_identity(cluster))


def certificate_for(sample: Sample, cluster: str, identity: str) -> Credential:
    """A certificate for a SPIFFE ID, by the authority that signs for a cluster's workloads."""
    signer = sample.topology[cluster].primary
    return issue(installed_authority(sample.mesh.cluster(signer)).authority, identity)


def certificate_of_another_root(sample: Sample, cluster: str) -> Credential:
    """A certificate for the identity of a cluster's sleep that another root stands behind."""
    elsewhere = Authority.root("another root").intermediate("meshproof east")
    return issue(elsewhere, sample.caller_identity(cluster))


def _refused(
    outsider: Workload, shown: Credential | None, why: Objection, behind: Behind
) -> Handshake:
    logs = [log_from_now(one) for one in behind.servers]
    answer = _ask(outsider, behind, shown)
    if answer.status is not None or answer.alert not in ("", why.alert):
        return Handshake(outsider, behind, answer)
    within = _WITHIN if answer.chain else _UNLIKELY_WITHIN
    lines = turned_away_by(logs, lambda seen: any(why.logged in one.why for one in seen), within)
    return Handshake(outsider, behind, answer, tuple(lines))


def _ask(outsider: Workload, behind: Behind, shown: Credential | None) -> TlsAnswer:
    return ask(outsider, behind.way.address, behind.way.port, SNI, credential=shown)
