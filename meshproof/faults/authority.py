"""Gives control planes other certificate authorities while they run.

istiod watches the files of ``cacerts``, and takes up another authority below the root that it has;
another root only with ISTIO_MULTIROOT_MESH, and only where one of the two sets of roots holds the
other (https://github.com/istio/istio/pull/47063). It tells agents of its roots, which then have
their certificates signed anew, as far as they listen: PROXY_CONFIG_XDS_AGENT.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from cryptography import x509

from meshproof.errors import EvidenceError, MeshproofError, WaitTimeoutError
from meshproof.kube.mounted import look_again, mounted
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload, node_probe
from meshproof.mesh.config_dump import shown_chain, trusted_roots
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.istiod import istiod_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.trust import SECRET, Authority
from meshproof.process import side_by_side
from meshproof.traffic.tls_question import ask, signed
from meshproof.wait import eventually
from meshproof.workloads.sample import Sample

Cacerts = Mapping[str, Mapping[str, str]]
"""By the cluster of a control plane what its secret ``cacerts`` says, by key, in PEM."""

WITHIN = 120.0
"""Seconds in which istiod, agents and proxies follow, and kubelet brings ConfigMaps to pods."""
_BROUGHT_WITHIN = 120.0
"""Seconds in which kubelet brings a Secret to pods: about one, when it is made to look."""
_EVERY = 2.0
_DISCOVERY, _NAME = 15012, f"istiod.{SYSTEM}.svc"
_ROOT, _CERTIFICATE = "root-cert.pem", "ca-cert.pem"
_FILES = ("secret", "cacerts")
"""Where istiod finds what its secret says."""
_MOUNTED = ("configmap", "istiod-ca-cert", _ROOT)
"""Where an agent finds the roots by which it knows its istiod."""


@dataclass(frozen=True)
class Trust:
    """A stage of a rotation. ``what``: for people; ``cacerts``: what control planes have then.

    In force when every sidecar trusts the roots that are named there, and has a certificate by the
    authority of its control plane, and every agent knows its istiod by those roots.
    """

    what: str
    cacerts: Cacerts

    def roots(self, plane: str) -> set[x509.Certificate]:
        """The roots that a control plane's proxies trust then."""
        return _parsed(self.cacerts[plane][_ROOT])

    def signer(self, plane: str) -> x509.Certificate:
        """Who signs for a control plane's proxies then."""
        return x509.load_pem_x509_certificate(self.cacerts[plane][_CERTIFICATE].encode())


@contextmanager
def intermediates_replaced(mesh: Mesh) -> Iterator[Mapping[str, x509.Certificate]]:
    """Every control plane signs with another authority below its root inside the block, and with
    its own again afterwards, or the mesh is marked dirty. In force, and healed, when its istiod
    shows a certificate by it; workloads keep theirs until they are renewed. Gives the new ones, by
    the clusters of control planes.

    Raises EvidenceError where the key of a root is gone with the run that made it, LabError and
    WaitTimeoutError as ``hand_over``, WaitTimeoutError when an istiod does not follow.
    """
    before = installed(mesh)
    new = {plane: _below(mesh, plane, said) for plane, said in before.items()}
    with _put_back(mesh, lambda: _sign(mesh, before)):
        _sign(mesh, {plane: one.cacerts() for plane, one in new.items()})
        yield {plane: one.certificate for plane, one in new.items()}


def rotation(mesh: Mesh) -> list[Trust]:
    """The stages in which a mesh comes from the root that it has to another, each with what is
    trusted and who signs; the first is as it is now. Raises LabError."""
    before, root = installed(mesh), Authority.root("meshproof another root")
    old = {plane: said[_ROOT] for plane, said in before.items()}
    new = {plane: root.intermediate(f"meshproof {plane} anew").cacerts() for plane in before}
    # In another order roots are another bundle to agents: they have their certificates signed anew.
    turned = {plane: _joined(root.pem, old[plane]) for plane in before}
    added = {plane: _joined(old[plane], root.pem) for plane in before}
    return [
        Trust("the old root alone is trusted", before),
        Trust(
            "the new root is trusted as well",
            {plane: {**said, _ROOT: added[plane]} for plane, said in before.items()},
        ),
        Trust(
            "authorities below the new root sign",
            {plane: {**said, _ROOT: turned[plane]} for plane, said in new.items()},
        ),
        Trust("the old root is trusted no more", new),
    ]


@contextmanager
def trust_restored(sample: Sample, stages: Sequence[Trust]) -> Iterator[Callable[[int], None]]:
    """Inside the block control planes can be brought from stage to stage, by the number of each;
    afterwards they go back to the first, step by step, or the mesh is marked dirty.

    Gives what begins a stage. It is in force once ``awaited`` says so. Raises as ``hand_over``.
    """
    begun = [0]

    def begin(number: int) -> None:
        begun.append(number)
        hand_over(sample.mesh, stages[number].cacerts)

    def back() -> None:
        for number in range(begun[-1] - 1, -1, -1):
            begin(number)
            if missing := awaited(sample, stages[number], WITHIN):
                raise EvidenceError(f"{stages[number].what}: {missing}")

    with _put_back(sample.mesh, back):
        yield begin


def awaited(sample: Sample, stage: Trust, within: float) -> str:
    """Wait until a stage of a rotation is in force, or ``within`` seconds have passed. Returns what
    is not, in words; "" when all of it is. Raises EvidenceError when nobody could look in the end:
    that is no stage that did not come into force."""
    seen, failures = [""], list[MeshproofError]()

    def in_force() -> bool:
        try:
            seen[:], failures[:] = [amiss(sample, stage)], []
        except MeshproofError as error:
            failures[:] = [error]
        return not seen[0] and not failures

    with suppress(WaitTimeoutError):
        eventually(in_force, what=stage.what, within=within, every=_EVERY)
    if failures:
        raise EvidenceError(f"nobody can tell whether {stage.what}: {failures[0].cause}")
    return seen[0]


def installed(mesh: Mesh) -> dict[str, dict[str, str]]:
    """What each control plane's ``cacerts`` says now, by key. Raises LabError."""
    found = {}
    for member in mesh.deployment.topology.control_planes:
        with lab_errors(f"read {SECRET} of {member.name}"):
            data = mesh.cluster(member.name).core.read_namespaced_secret(SECRET, SYSTEM).data
        found[member.name] = {key: base64.b64decode(text).decode() for key, text in data.items()}
    return found


def hand_over(mesh: Mesh, cacerts: Cacerts) -> None:
    """Let each control plane's ``cacerts`` say something else, and wait until its istiod has that
    in its files: what comes of it from then on is Istio's affair, and not kubelet's.

    Raises LabError, and WaitTimeoutError when kubelet does not bring it.
    """
    for plane, said in cacerts.items():
        with lab_errors(f"write {SECRET} of {plane}"):
            body = {"stringData": dict(said)}
            mesh.cluster(plane).core.patch_namespaced_secret(SECRET, SYSTEM, body)
    for plane, said in cacerts.items():
        what = f"the new {SECRET} in the files of istiod in {plane}"
        has = partial(_is_brought, mesh, plane, said)
        eventually(has, what=what, within=_BROUGHT_WITHIN, every=_EVERY)


def amiss(sample: Sample, stage: Trust) -> str:
    """What is not in force of a stage of a rotation, in words; "" when all of it is. Raises
    EvidenceError when a proxy does not answer, LabError when a pod cannot be read."""
    sidecars = [*map(sample.caller, sample.clusters), *sample.servers().values()]
    gateways = [
        gateway_workload(sample.mesh, one.name)
        for one in sample.topology.members
        if one.gateway is not None
    ]

    def lacking(one: PodWorkload) -> str:
        plane = sample.topology[one.cluster].primary
        if _parsed(mounted(one, *_MOUNTED)) != stage.roots(plane):
            look_again(one)
            return f"{one} knows its istiod by other roots"
        if one not in sidecars:
            return ""  # a gateway that passes TLS on has no certificate in use
        if set(trusted_roots(one)) != stage.roots(plane):
            return f"{one} trusts other roots"
        chain = shown_chain(one)
        by = stage.signer(plane)
        return "" if chain and signed(chain[0], by) else f"{one} has a certificate by another"

    found = side_by_side(sample.mesh.shell, lacking, [*sidecars, *gateways])
    return "; ".join(one for one in found if one)


def _is_brought(mesh: Mesh, plane: str, said: Mapping[str, str]) -> bool:
    """Whether an istiod has the files; where not, its node's kubelet is made to look."""
    with suppress(MeshproofError):  # an istiod that is not there now may be so later
        istiod = istiod_of(mesh, plane)
        files = {key: mounted(istiod, *_FILES, key) for key in (_ROOT, _CERTIFICATE)}
        if all(text.split() == said[key].split() for key, text in files.items()):
            return True
        look_again(istiod)
    return False


def _sign(mesh: Mesh, cacerts: Cacerts) -> None:
    hand_over(mesh, cacerts)
    for plane, said in cacerts.items():
        by = x509.load_pem_x509_certificate(said[_CERTIFICATE].encode())
        what = f"a certificate by {_named(by)} from istiod in {plane}"
        eventually(partial(_signs, mesh, plane, by), what=what, within=WITHIN, every=_EVERY)


def _signs(mesh: Mesh, plane: str, by: x509.Certificate) -> bool:
    with suppress(MeshproofError):  # one that does not answer now may do so later
        istiod = istiod_of(mesh, plane)
        asker = node_probe(mesh.cluster(plane))
        chain = ask(asker, istiod.address, _DISCOVERY, _NAME, alpn="h2").chain
        return bool(chain) and signed(chain[0], by)
    return False


@contextmanager
def _put_back(mesh: Mesh, back: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        try:
            back()
        except BaseException as error:  # half of the way back is no way back, whoever interrupts
            why = error.cause if isinstance(error, MeshproofError) else "interrupted on the way"
            mesh.mark_dirty(f"its authorities are not what they were: {why}")
            raise


def _below(mesh: Mesh, plane: str, said: Mapping[str, str]) -> Authority:
    root = mesh.roots[mesh.deployment.root_of(mesh.deployment.topology[plane])]
    if _parsed(said[_ROOT]) != {root.certificate}:
        raise EvidenceError(
            f"the root of {plane} was made by another run, and its key is gone with it",
            "have the mesh installed anew",
        )
    return root.intermediate(f"meshproof {plane} anew")


def _parsed(text: str) -> set[x509.Certificate]:
    return set(x509.load_pem_x509_certificates(text.encode()))


def _joined(first: str, second: str) -> str:
    return f"{first.rstrip()}\n{second}"


def _named(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()
