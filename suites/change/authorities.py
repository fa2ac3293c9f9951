"""Certificate authorities, and a root of trust, that are replaced while calls go on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from cryptography import x509
from cryptography.x509.oid import NameOID

from meshproof.faults.authority import (
    WITHIN,
    awaited,
    intermediates_replaced,
    rotation,
    trust_restored,
)
from meshproof.kube.workload import Workload, node_probe
from meshproof.mesh.istiod import Endings, endings
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.traffic.tls_question import ask
from meshproof.workloads.sample import PORT, SNI, Sample
from meshproof.workloads.scale import scaled, usual
from suites.change.trust import Begun, Issued

_AFTERWARDS = 10.0
_AT_THE_END = 20.0


def over_new_intermediates(sample: Sample) -> tuple[Found, list[Issued], dict[str, str]]:
    """What comes of calls while every control plane gets another authority below its root, and a
    version of each cluster another instance then; by whom these have their certificates; and, as
    ``ran_on`` takes it, which istiods ended. Raises as ``intermediates_replaced``."""
    grown = {home: sample.versions_in(home)[0] for home in sample.homes}
    issued: list[Issued] = []
    istiods = _endings(sample)

    def doing(stream: Stream, stack: ExitStack) -> None:
        before = set(sample.servers())
        with stream.mark("every control plane gets another authority below its root"):
            new = stack.enter_context(intermediates_replaced(sample.mesh))
        stream.flow_for(_AFTERWARDS)
        with stream.mark(f"{' and '.join(grown.values())} get another instance"):
            for version in grown.values():
                stack.enter_context(scaled(sample, version, usual(sample, version) + 1))
        for name, one in sample.servers().items():
            if name not in before:
                due = new[sample.topology[one.cluster].primary]
                issued.append(Issued(name, issuer_of(sample, one), _name(due.subject)))
        stream.flow_for(_AT_THE_END)

    found = over(sample, doing, more=dict.fromkeys(grown.values(), 1))
    return found, issued, _ended_since(sample, istiods)


def over_a_rotation(
    sample: Sample, within: float = WITHIN
) -> tuple[Found, list[Begun], dict[str, str]]:
    """What comes of calls while a mesh gets another root, stage by stage, both being trusted
    meanwhile, and a version of each control plane another instance in the end; the stages that were
    begun: none after one that was not in force within so many seconds; and, as ``ran_on`` takes it,
    which istiods ended. Raises as ``trust_restored`` and ``awaited``."""
    stages, istiods = rotation(sample.mesh), _endings(sample)
    grown = _one_for_each_plane(sample)
    begun: list[Begun] = []

    def doing(stream: Stream, stack: ExitStack) -> None:
        begin = stack.enter_context(trust_restored(sample, stages))
        for number, stage in list(enumerate(stages))[1:]:
            with stream.mark(stage.what):
                begin(number)
                begun.append(Begun(stage.what, awaited(sample, stage, within)))
            if begun[-1].missing:
                return
            stream.flow_for(_AFTERWARDS)
        with stream.mark(f"{' and '.join(grown)} get another instance"):
            for version in grown:
                stack.enter_context(scaled(sample, version, usual(sample, version) + 1))
        stream.flow_for(_AT_THE_END)

    found = over(sample, doing, more=dict.fromkeys(grown, 1))
    return found, begun, _ended_since(sample, istiods)


def _one_for_each_plane(sample: Sample) -> list[str]:
    """Of each control plane a version whose new pods have their certificates from it."""
    found: dict[str, str] = {}
    for version, home in sample.versions.items():
        found.setdefault(sample.topology[home].primary, version)
    return list(found.values())


def issuer_of(sample: Sample, server: Workload) -> str:
    """The name of the authority by which a pod has its certificate; "" when it shows none. Raises
    EvidenceError when it cannot be asked."""
    asker = node_probe(sample.mesh.cluster(server.cluster))
    chain = ask(asker, server.address, PORT, SNI).chain
    return _name(chain[0].issuer) if chain else ""


def _endings(sample: Sample) -> dict[str, Endings]:
    planes = [one.name for one in sample.topology.control_planes]
    return {name: endings(sample.mesh, name) for name in planes}


def _ended_since(sample: Sample, before: Mapping[str, Endings]) -> dict[str, str]:
    """By control plane how its istiod has ended since, "" where it has not. The way back is part of
    it: the same files change again."""
    now = _endings(sample)
    how = {name: f"in a panic: {one.panic}" if one.panic else "" for name, one in now.items()}
    return {
        name: f"ended {how[name]}".rstrip() if now[name].count > one.count else ""
        for name, one in before.items()
    }


def _name(subject: x509.Name) -> str:
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
