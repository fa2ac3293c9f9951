"""The stand-in of `make published`, as far as it needs neither Go nor an engine: what is pushed to
a registry is pulled by its public name, with a token, and counted once."""

from __future__ import annotations

import gzip
import hashlib
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from meshproof.artifacts.archive import Image, Item, Layer, write_archive
from tests.artifacts.outside import Outside, outside
from tests.published.hub import COMPANYS, HUB, TOKENS, Hub
from tests.published.registry import LoopbackRegistry

CONTENT = b"program" * 1000


class _InMemory(BaseHTTPRequestHandler):
    """As much of a registry as pushes and pulls take
    (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

    blobs: dict[str, bytes]
    accepted: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.accepted.append(self.headers.get("Accept", ""))
        path = urlsplit(self.path).path
        content = self.blobs.get(path)
        self._say(200 if path == "/v2/" or content is not None else 404, content or b"")

    do_HEAD = do_GET  # noqa: N815 - as the library calls it

    def do_POST(self) -> None:
        self._say(202, b"", Location=f"{self.path}upload")

    def do_PATCH(self) -> None:
        size, content = int(self.rfile.readline(), 16), b""
        while size:
            content += self.rfile.read(size)
            self.rfile.readline()
            size = int(self.rfile.readline(), 16)
        self.blobs[self.path] = content
        self._say(202, b"")

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        digest = parse_qs(url.query).get("digest", [""])[0]
        assert not digest or digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blobs[url.path.replace("uploads/upload", digest)] = content
        self._say(201, b"")

    def _say(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What a registry in memory holds, to which the hub leads."""
    found: dict[str, bytes] = {}
    handler = type("Handler", (_InMemory,), {"blobs": found})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(Hub, "behind", server.server_port)
    monkeypatch.setattr(Hub, "fetched", Counter())
    monkeypatch.setattr(Hub, "sent", Counter())
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Outside]:
    with outside(tmp_path, Hub) as found:
        yield found


def ask(public: Outside, method: str, url: str, **more: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": public.proxy}
        session.verify = str(public.authority)
        return session.request(method, url, timeout=10, **more)


def test_what_is_pushed_is_pulled_by_its_public_name(
    held: dict[str, bytes], public: Outside, tmp_path: Path
) -> None:
    layer = Layer({"bin/program": Item(content=CONTENT)})
    names = ("docker.io/istio/pilot:1.31.1", "docker.io/istio/proxyv2:1.31.1")
    write_archive([Image((name,), (layer,)) for name in names], tmp_path / "a.tar")
    pushed = LoopbackRegistry(Hub.behind).push(tmp_path / "a.tar", host="docker.io")
    assert pushed == ["istio/pilot:1.31.1", "istio/proxyv2:1.31.1"]
    url = f"https://{HUB}/v2/istio/pilot"
    refused = ask(public, "GET", f"{url}/manifests/1.31.1")
    assert refused.status_code == 401
    assert f"https://{TOKENS}/token" in refused.headers["WWW-Authenticate"]
    token = ask(public, "GET", f"https://{TOKENS}/token?scope=x").json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    manifest = ask(public, "GET", f"{url}/manifests/1.31.1", headers=headers).json()
    (layer_digest,) = [one["digest"] for one in manifest["layers"]]
    blob = ask(public, "GET", f"{url}/blobs/{layer_digest}", headers=headers).content
    assert CONTENT in gzip.decompress(blob)
    assert len(blob) == manifest["layers"][0]["size"]
    config = json.loads(held[f"/v2/istio/pilot/blobs/{manifest['config']['digest']}"])
    assert config["rootfs"]["diff_ids"] == [f"sha256:{_sha256(gzip.decompress(blob))}"]
    assert Hub.fetched == {layer_digest: 1}
    assert Hub.sent[HUB] > len(blob)


def test_all_that_a_client_accepts_is_asked_for(held: dict[str, bytes], public: Outside) -> None:
    """Each on a line of its own, as Go writes them."""
    _InMemory.accepted.clear()
    kinds = ("vnd.oci.image.manifest.v1+json", "vnd.oci.image.index.v1+json")
    proxy = urlsplit(public.proxy)
    trusted = ssl.create_default_context(cafile=str(public.authority))
    there = HTTPSConnection(str(proxy.hostname), proxy.port, context=trusted, timeout=10)
    there.set_tunnel(COMPANYS, 443)
    there.putrequest("GET", "/v2/me/workload/manifests/1", skip_host=True)
    there.putheader("Host", COMPANYS)
    for kind in kinds:
        there.putheader("Accept", f"application/{kind}")
    there.endheaders()
    assert there.getresponse().status == 404
    there.close()
    assert _InMemory.accepted == [", ".join(f"application/{kind}" for kind in kinds)]


def test_a_companys_registry_takes_what_comes_in_pieces(
    held: dict[str, bytes], public: Outside
) -> None:
    pieces = (CONTENT[begin : begin + 999] for begin in range(0, len(CONTENT), 999))
    url = f"https://{COMPANYS}/v2/me/workload/blobs/uploads/upload"
    assert ask(public, "PATCH", url, data=pieces).status_code == 202
    assert held["/v2/me/workload/blobs/uploads/upload"] == CONTENT


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
