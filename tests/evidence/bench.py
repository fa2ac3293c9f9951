"""A lab for the evidence's tests: an API server that serves canned answers, an engine that runs
nothing, clusters that are alive, dead or hanging."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml

from meshproof.engine import Engine
from meshproof.errors import CancelledError, CommandError
from meshproof.events import Recorder
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.lab import Lab
from meshproof.model import Capability, Cluster, isolated
from meshproof.process import Finished, Shell

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlIn0.c2lnbmF0dXJl"


class CannedEngine:
    """Answers programs by their last word; those that are not known fail.

    Nothing runs on this machine. ``called_off``: as a lab's own engine after a failed bring-up.
    """

    name = "canned"
    answers: Mapping[str, str] = {}
    called_off = False

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        shell.cancel()

    def exec(self, container: str, argv: Sequence[str], **_: Any) -> Finished:
        if self.called_off:
            raise CancelledError("the run was called off")
        if argv[-1] not in self.answers:
            raise CommandError(argv, 7, "", f"{container} has no {argv[-1]}")
        return Finished(tuple(argv), 0, self.answers[argv[-1]], "", 0.0)


@contextmanager
def api_server(answers: Mapping[str, Any]) -> Iterator[str]:
    """An API server; its URL. Tables are asked for as "table /path", logs answered with text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            table = "as=Table" in self.headers["Accept"]
            answer = answers.get(f"table {path}" if table else path)
            body = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent_server() -> Iterator[str]:
    """A server that takes connections and never answers; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def running_cluster(name: str, url: str, folder: Path) -> RunningCluster:
    """A cluster whose nodes are known and whose API is at ``url``."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    kubeconfig = folder / f"{name}.kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    pods, services = IPv4Network("10.10.0.0/16"), IPv4Network("10.110.0.0/16")
    spec = Cluster(name, pods, services, "file")
    cluster = RunningCluster(spec, kubeconfig, cast(Engine, None))
    node = Node(f"{name}-node", IPv4Address("172.30.0.2"), pods, control_plane=True)
    vars(cluster)["nodes"] = (node,)
    return cluster


def lab_of(clusters: Sequence[RunningCluster], answers: Mapping[str, str]) -> Lab:
    """A lab of these clusters, whose engine has been called off as after a failed bring-up."""
    recorder = Recorder()
    engine = type("Engine", (CannedEngine,), {"answers": answers})(Shell(recorder))
    engine.called_off = True
    lab = SimpleNamespace(
        id="00000000",
        engine=engine,
        shell=engine.shell,
        on_nodes=type(engine),
        capabilities=frozenset(Capability),
        recorder=recorder,
        wiring=isolated(),
        clusters={cluster.name: cluster for cluster in clusters},
        router=SimpleNamespace(container="router"),
        machines={},
    )
    return cast(Lab, lab)
