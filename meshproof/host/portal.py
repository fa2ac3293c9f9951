"""One way from a host to the API servers of all its members: Envoy behind the host's own API
server, which says who may ask whom, and writes down who did.

The host's API server takes a request for a Service's proxy as any other: it authenticates, judges
Impersonate-… headers itself and removes them, and authorizes. Envoy goes on as the portal, so a
member knows the portal alone (https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/).
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meshproof.errors import LabError, MeshproofError
from meshproof.host.credentials import API_PORT
from meshproof.host.host import Host
from meshproof.host.portal_config import IDENTITY_HEADERS, Upstream, key_files, ports
from meshproof.host.portal_objects import (
    LISTED,
    PORTAL,
    member_objects,
    program_objects,
    user_objects,
)
from meshproof.host.tenants import namespace
from meshproof.kube import RunningCluster, client
from meshproof.kube.forward import Answer, Request, send
from meshproof.kube.objects import apply, await_absence, delete
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.process import Shell
from meshproof.wait import eventually

_SIGNER = "kubernetes.io/kube-apiserver-client"
_VALID = 86400
_SIGNED_WITHIN = 30.0
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Portal:
    """A portal at work. ``space``: the namespace whose ConfigMaps it may read in members."""

    host: Host
    space: str

    def token(self, user: str) -> str:
        """A token of an account in the portal's namespace of the host. Raises LabError."""
        core = self.host.cluster.core
        with lab_errors(f"get a token for {user} in {self.host.cluster.name}"):
            made = core.create_namespaced_service_account_token(user, PORTAL, {"spec": {}})
        return str(made.status.token)

    def ask(self, user: str, member: str, request: Request) -> Answer:
        """What a user of the host is answered who asks a member through the portal, by the host or
        by the member. Raises LabError when the host's API server gives no answer."""
        path = f"api/v1/namespaces/{PORTAL}/services/{member}/proxy/{request.path}"
        return self._as(user, Request(request.method, path, request.body, request.headers))

    def members(self, user: str) -> list[str]:
        """The members that the host lists to a user. Raises LabError, also when it refuses to."""
        path = f"api/v1/namespaces/{PORTAL}/services?labelSelector={LISTED}"
        answer = self._as(user, Request("GET", path))
        if answer.status != http.client.OK:
            raise LabError(f"{user} is not told of members: {answer.status}")
        items = json.loads(answer.body)["items"]
        return sorted(one["metadata"]["labels"][LISTED] for one in items)

    def ask_all(self, user: str, request: Request) -> dict[str, Answer]:
        """The same request to all members that the host lists to a user, and their answers. Raises
        LabError."""
        return {name: self.ask(user, name, request) for name in self.members(user)}

    def ask_envoy(self, member: str, request: Request) -> Answer:
        """What Envoy itself answers, past the host's API server, to which it leaves no header to
        remove. Raises LabError or EvidenceError when nobody answers."""
        cluster = self.host.cluster
        with lab_errors(f"look for the portal in {cluster.name}"):
            pods = cluster.core.list_namespaced_pod(PORTAL, label_selector=f"app={PORTAL}").items
        if not pods:
            raise LabError(f"{cluster.name} has no pod of the portal")
        port = ports(list(self.host.members))[member]
        return send(cluster, PORTAL, pods[0].metadata.name, port, request)

    def _as(self, user: str, request: Request) -> Answer:
        known = self.host.cluster.api.configuration
        # The lab's own client would show the administrator's certificate, which comes first.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(known.ssl_ca_cert)
        headers = {**request.headers, "Authorization": f"Bearer {self.token(user)}"}
        to = http.client.HTTPSConnection(
            urlsplit(known.host).netloc, context=context, timeout=_TIMEOUT
        )
        with lab_errors(f"ask {self.host.cluster.name} for /{request.path} as {user}"):
            try:
                to.request(request.method, f"/{request.path}", request.body or None, headers)
                came = to.getresponse()
                named = {name.lower(): value for name, value in came.getheaders()}
                return Answer(came.status, came.reason, named, came.read())
            except http.client.HTTPException as error:
                raise LabError(f"no answer to {user}: {error!r}") from error
            finally:
                to.close()


@contextmanager
def portal(
    host: Host,
    image: str,
    space: str,
    users: Mapping[str, Sequence[str]],
    removed: Sequence[str] = IDENTITY_HEADERS,
) -> Iterator[Portal]:
    """A portal is in the host inside the block, and nothing of it is left afterwards, in members
    neither. ``image``: of Envoy, which the host's nodes have; ``space``: as ``Portal.space``;
    ``users``: by name the members that they may ask; ``removed``: headers that Envoy removes.

    Raises LabError or WaitTimeoutError when it does not come about.
    """
    keys: dict[str, str] = {}
    try:
        with host.recorder.step(f"set up a portal in {host.cluster.name}"):
            for name, member in host.members.items():
                apply(member, member_objects(space))
                keys |= dict(zip(key_files(name), _enter(member), strict=True))
            apply(host.cluster, program_objects(image, _upstreams(host), keys, removed))
            for user, allowed in users.items():
                apply(host.cluster, user_objects(user, allowed))
            await_rollout(host.cluster, PORTAL, {PORTAL}, Shell(host.recorder))
        yield Portal(host, space)
    finally:
        for member in host.members.values():
            with suppress(MeshproofError):  # one that is away keeps a role of nobody's
                delete(member, member_objects(space))
        delete(host.cluster, [namespace(PORTAL)])
        await_absence(host.cluster, PORTAL)


def _upstreams(host: Host) -> list[Upstream]:
    return [
        Upstream(name, str(one.control_plane.address), API_PORT)
        for name, one in host.members.items()
    ]


def _enter(member: RunningCluster) -> tuple[str, str, str]:
    """A certificate as which the portal is known to a member, its key, and the authority that the
    member's API server is known by; in PEM. Raises LabError or WaitTimeoutError."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PORTAL)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate = _signed(member, asked.public_bytes(encoding))
    authority = Path(member.api.configuration.ssl_ca_cert).read_text(encoding="utf-8")
    return certificate, secret.decode(), authority


def _signed(member: RunningCluster, asked: bytes) -> str:
    """What a member's own authority makes of a request
    (https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/)."""
    name = f"{PORTAL}-{secrets.token_hex(3)}"
    spec = {
        "request": base64.b64encode(asked).decode(),
        "signerName": _SIGNER,
        "expirationSeconds": _VALID,
        "usages": ["client auth"],
    }
    approved = {"type": "Approved", "status": "True", "reason": "Portal", "message": "by the lab"}
    certificates: Any = client.CertificatesV1Api(member.api)
    doing = f"have a certificate for the portal signed in {member.name}"

    def made() -> str:
        with lab_errors(doing):
            found = certificates.read_certificate_signing_request(name).status.certificate
        return base64.b64decode(found or "").decode()

    with lab_errors(doing):
        one = certificates.create_certificate_signing_request(
            {"metadata": {"name": name}, "spec": spec}
        )
        one.status.conditions = [approved]
        certificates.replace_certificate_signing_request_approval(name, one)
    try:
        what = f"a certificate of the portal in {member.name}"
        return eventually(made, what=what, within=_SIGNED_WITHIN)
    finally:
        with lab_errors(doing):
            certificates.delete_certificate_signing_request(name)
