"""An API server out of a recording: what it answers to each request, and what it was asked. Its
kubeconfig holds a token, which must turn up nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl"
Answer = Mapping[str, Any] | tuple[int, Mapping[str, Any]] | Callable[[Any], Any]
"""An object, with its status where that is not 200, or what makes one of the request's body."""


@dataclass
class Recorded:
    """``answers``: by method and path, as in "GET /version"; all else is not found. ``asked``: what
    was, with its body."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""

    def changes(self) -> list[str]:
        """What was asked for that is no question."""
        questions = ("GET ", "POST /apis/authorization.k8s.io/")
        return [one for one, _ in self.asked if not one.startswith(questions)]


@contextmanager
def served(recorded: Recorded) -> Iterator[Recorded]:
    """The server runs inside the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length).decode() if length else ""
            body = json.loads(text) if text.startswith(("{", "[")) else text
            key = f"{self.command} {self.path.partition('?')[0]}"
            recorded.asked.append((key, body))
            found = recorded.answers.get(key, (404, {"message": f"{key} not found"}))
            found = found(body) if callable(found) else found
            status, value = found if isinstance(found, tuple) else (200, found)
            said = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815 - the library's

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    recorded.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()


def write_kubeconfig(path: Path, servers: Mapping[str, str], current: str = "") -> Path:
    """A kubeconfig with a context for each server, called as that, and a user with a token."""
    known = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [
            {"name": f"{one}-c", "cluster": {"server": url}} for one, url in servers.items()
        ],
        "contexts": [
            {"name": one, "context": {"cluster": f"{one}-c", "user": "somebody"}} for one in servers
        ],
        "users": [{"name": "somebody", "user": {"token": TOKEN}}],
    }
    path.write_text(yaml.safe_dump(known), encoding="utf-8")
    return path


def listed(*items: Mapping[str, Any]) -> dict[str, Any]:
    """A list as the API server answers."""
    return {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": list(items)}


def namespace(name: str, uid: str = "", **metadata: Any) -> dict[str, Any]:
    """A namespace."""
    found = {"name": name, "uid": uid or f"uid-of-{name}", **metadata}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": found}


def node(name: str, pods: str | None, address: str = "10.0.0.1") -> dict[str, Any]:
    """A node with a range for its pods, or without."""
    return {
        "metadata": {"name": name, "labels": {}},
        "spec": {"podCIDR": pods} if pods else {},
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def plain(uid: str = "one", pods: str = "10.244.0.0/24") -> dict[str, Answer]:
    """What a cluster answers that is as clusters mostly are, and has nothing of ours."""
    return {
        "GET /api/v1/namespaces/kube-system": namespace("kube-system", uid),
        "GET /version/": {
            "major": "1",
            "minor": "33",
            "gitVersion": "v1.33.4-gke.1043002",
            **dict.fromkeys(
                (
                    "buildDate",
                    "compiler",
                    "gitCommit",
                    "gitTreeState",
                    "goVersion",
                    "platform",
                ),
                "",
            ),
        },
        "GET /api/v1/nodes": listed(node("a", pods), node("b", pods)),
        "GET /apis/networking.k8s.io/v1/servicecidrs": {
            "items": [{"spec": {"cidrs": ["10.96.0.0/16"]}}]
        },
        "GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices": listed(
            {
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["172.18.0.2"]}],
                "ports": [{"name": "https", "port": 6443}],
            }
        ),
        "GET /api/v1/namespaces": listed(namespace("default"), namespace("kube-system", uid)),
        "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions": listed(),
        f"GET {_ADMISSION}/mutatingwebhookconfigurations": listed(),
        f"GET {_ADMISSION}/validatingwebhookconfigurations": listed(),
        f"GET {_RBAC}/clusterroles": listed({"metadata": {"name": "their-role"}}),
        f"GET {_RBAC}/clusterrolebindings": listed(),
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews": allowed,
    }


def allowed(body: Any) -> dict[str, Any]:
    """An API server that lets us do all."""
    return {"spec": body["spec"], "status": {"allowed": True}}
