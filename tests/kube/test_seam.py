"""What Kubernetes, urllib3 and docker say, in one line and without headers or objects."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import docker.errors
import pytest
import requests
import urllib3
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import NotFoundError, ResourceNotFoundError

from meshproof.errors import LabError
from meshproof.kube.seam import in_words, lab_errors, status_message

STATUS = '{"kind":"Status","code":404,"message":"namespaces \\"mesh-system\\" not found"}'
ANSWER = SimpleNamespace(
    status=404, reason="Not Found", data=STATUS.encode(), headers={"Audit-Id": "0815"}
)
REFUSED = ApiException(http_resp=ANSWER)
SAID = '404 Not Found: namespaces "mesh-system" not found'


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REFUSED, SAID),
        (NotFoundError(REFUSED, "Traceback (most recent call last):\n  File"), SAID),
        (
            ApiException(status=401, body='{"message":"Unauthorized"}'),
            "401 Unauthorized: Unauthorized",
        ),
        (ApiException(status=500), "500 Internal Server Error"),
        (
            ApiException(status=503, body="<html><h1>down</h1></html>"),
            "503 Service Unavailable: down",
        ),
        (ApiException(status=400, body="[1"), "400 Bad Request: [1"),
        (ApiException(status=0, reason="SSLError\n<a.B object at 0x7f01>: bad"), "SSLError bad"),
        (ApiException(), "no answer"),
        (
            ResourceNotFoundError(
                "No matches found for {'api_version': 'g/v1', 'kind': 'Gateway'}"
            ),
            "the API server knows no Gateway of g/v1",
        ),
        (ResourceNotFoundError(), "the API server knows no such kind"),
        (LabError("it is lost", "make another"), "it is lost"),
        (FileNotFoundError(2, "No such file or directory", "/x"), "no such file or directory: /x"),
        (TimeoutError("timed out"), "no answer in time"),
        (KeyError("west"), "KeyError: 'west'"),
        (RuntimeError("<a.B object at 0x7f01>: bad\nand more"), "RuntimeError: bad and more"),
        (ValueError(), "ValueError"),
        (docker.errors.APIError("x", explanation="no such image"), "no such image"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_errors_in_words(error: Exception, words: str) -> None:
    assert in_words(error) == words


def test_the_engines_refusal_is_its_explanation() -> None:
    response = requests.Response()
    response.status_code = 404
    error = docker.errors.APIError("404", response=response, explanation="no such container: x")
    assert in_words(error) == "404 Not Found: no such container: x"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def closing() -> Iterator[int]:
    """The port of a server that closes every connection."""

    def close(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                listening.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=close, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("retries", [False, 1])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_is_not_there(scheme: str, retries: int | bool) -> None:
    assert _asked(f"{scheme}://127.0.0.1:1/x", retries) == "127.0.0.1:1: connection refused"


@pytest.mark.parametrize("retries", [False, 1])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_does_not_answer(scheme: str, retries: int | bool, silent: int) -> None:
    said = _asked(f"{scheme}://127.0.0.1:{silent}/x", retries)
    assert said == f"127.0.0.1:{silent}: no answer in time"


@pytest.mark.parametrize("retries", [False, 1])
def test_a_server_that_leaves(retries: int | bool, closing: int) -> None:
    said = _asked(f"http://127.0.0.1:{closing}/x", retries)
    assert "onnection" in said
    assert "(" not in said and "object at" not in said


def test_an_engine_without_a_socket() -> None:
    with pytest.raises(docker.errors.DockerException) as caught:
        docker.DockerClient(base_url="unix:///nowhere.sock")
    assert in_words(caught.value) == "the engine's API: no such file or directory"


def test_lab_errors_name_what_was_being_done() -> None:
    with pytest.raises(LabError) as caught, lab_errors("apply Secret x in east"):
        raise REFUSED
    assert str(caught.value) == f"could not apply Secret x in east: {SAID}."


def test_messages_are_bounded() -> None:
    assert len(in_words(ApiException(status=422, body='{"message":"' + "x" * 5000 + '"}'))) == 400
    assert len(status_message("x" * 5000)) == 200
    assert status_message(None) == ""
    assert status_message(b"\xff") == "�"


def _asked(url: str, retries: int | bool) -> str:
    with pytest.raises(urllib3.exceptions.HTTPError) as caught:
        urllib3.PoolManager().request("GET", url, retries=retries, timeout=0.3)
    return in_words(caught.value)
