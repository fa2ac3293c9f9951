"""The registry in a host, in which tenants' sources lie, and what is pushed to it: OCI artifacts,
as Flux's own command makes them (https://fluxcd.io/flux/cheatsheets/oci-artifacts/)."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from urllib.parse import urlsplit

from meshproof.artifacts.host import REGISTRY
from meshproof.errors import LabError
from meshproof.host.programs import SYSTEM
from meshproof.kube import RunningCluster
from meshproof.kube.forward import Answer, Request, send
from meshproof.kube.workload import PodWorkload, find_workload

PORT = 5000
TAG = "latest"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.cncf.flux.config.v1+json"
_CONTENT = "application/vnd.cncf.flux.content.v1.tar+gzip"


def repository_url(name: str) -> str:
    """Where the host's controllers find what lies under a name."""
    return f"oci://{REGISTRY}.{SYSTEM}.svc.cluster.local:{PORT}/{name}"


def push(host: RunningCluster, name: str, packed: bytes) -> str:
    """Push an archive under a name; returns its revision, as the controllers call it. Raises
    LabError, or EvidenceError when the registry does not answer."""
    pod = find_workload(host, REGISTRY, SYSTEM)
    config = json.dumps({"created": "1970-01-01T00:00:00Z", "architecture": "", "os": ""}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _described(config, _CONFIG),
        "layers": [_described(packed, _CONTENT)],
    }
    for blob in (config, packed):
        _push_blob(pod, name, blob)
    text = json.dumps(manifest, sort_keys=True).encode()
    headers = {"Content-Type": _MANIFEST}
    path = f"v2/{name}/manifests/{TAG}"
    _ask(pod, Request("PUT", path, text, headers), HTTPStatus.CREATED)
    return f"{TAG}@{_digest(text)}"


def _push_blob(pod: PodWorkload, name: str, blob: bytes) -> None:
    """One blob, in the two steps that every registry takes
    (https://github.com/opencontainers/distribution-spec, "POST then PUT")."""
    began = _ask(pod, Request("POST", f"v2/{name}/blobs/uploads/"), HTTPStatus.ACCEPTED)
    place = urlsplit(began.headers.get("location", ""))
    query = "&".join([*filter(None, [place.query]), f"digest={_digest(blob)}"])
    headers = {"Content-Type": "application/octet-stream"}
    path = f"{place.path.lstrip('/')}?{query}"
    _ask(pod, Request("PUT", path, blob, headers), HTTPStatus.CREATED)


def _ask(pod: PodWorkload, request: Request, due: HTTPStatus) -> Answer:
    answer = send(pod.running, pod.namespace, pod.name, PORT, request)
    if answer.status != due:
        said = answer.body.decode(errors="replace")[:200]
        where = f"the registry of {pod.cluster}"
        cause = f"{where} answered {request.method} {request.path} with {answer.status}: {said}"
        raise LabError(cause)
    return answer


def _described(blob: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
