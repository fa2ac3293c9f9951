"""Turns what libraries raise into errors of meshproof's own, where their world begins.

Their own words hold HTTP headers, tracebacks and addresses of objects: ``in_words`` says the same
in one sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from meshproof.errors import LabError, MeshproofError
from meshproof.kube import client
from meshproof.reading import reason
from meshproof.telling import shortened

_OBJECT = re.compile(r"<[^<>]* object at 0x[0-9a-f]+>(: )?")
_MARKUP = re.compile(r"<[^<>]*>")
_SOURCE = re.compile(r" ?\(_ssl\.c:\d+\)")
_WANTED = re.compile(r"'(api_version|kind)': '([^']*)'")


@contextmanager
def lab_errors(doing: str) -> Iterator[None]:
    """Raise LabError, naming what was being done, for what Kubernetes or the engine refuse."""
    try:
        yield
    except _foreign() as error:
        raise LabError(f"could not {doing}: {in_words(error)}") from error


def in_words(error: BaseException) -> str:
    """What an error says, in one line: '404 Not Found: namespaces "mesh-system" not found',
    "127.0.0.1:6443: connection refused".

    For an error of Python's own or of an unknown library its type is named first.
    """
    return shortened(_words(error))


def status_message(body: str | bytes | None) -> str:
    """What the body of an API server's answer says: the message of its Status, or its text."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return shortened(_MARKUP.sub(" ", text), 200)
    said = found.get("message") if isinstance(found, dict) else None
    return str(said or shortened(text, 200))


def _foreign() -> tuple[type[Exception], ...]:
    """What the libraries raise. They are loaded when something has been raised, here and below, and
    not by who calls none of them."""
    from docker.errors import DockerException
    from websocket import WebSocketException

    kubernetes = (client.ApiException, client.ResourceNotFoundError, client.HTTPError)
    return (*kubernetes, DockerException, WebSocketException, OSError)


def _words(error: BaseException) -> str:
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException
    from websocket import (
        WebSocketBadStatusException,
        WebSocketConnectionClosedException,
        WebSocketTimeoutException,
    )

    match error:
        case MeshproofError():
            return error.cause
        case client.ApiException():
            return _refusal(error)
        case APIError():
            status = error.status_code
            said = error.explanation or _plain(str(error))
            return f"{_title(status)}: {said}" if status else str(said)
        case WebSocketBadStatusException():
            said = status_message(error.resp_body)
            return f"{_title(error.status_code)}: {said}" if said else _title(error.status_code)
        case WebSocketConnectionClosedException():
            return "the connection broke"
        case WebSocketTimeoutException():
            return "no answer in time"
        case client.ResourceNotFoundError():
            wanted = dict(_WANTED.findall(str(error)))
            named = " of ".join(wanted[key] for key in ("kind", "api_version") if key in wanted)
            return f"the API server knows no {named or 'such kind'}"
    if isinstance(error, (client.HTTPError, RequestException, DockerException)):
        where, inner = _server(error), _inner(error)
        why = _words(inner) if inner is not None else _plain(str(error))
        return why if where is None or where in why else f"{where}: {why}"
    if isinstance(error, OSError):
        return _of_system(error)
    return f"{type(error).__name__}: {_plain(str(error))}".rstrip(": ")


def _refusal(error: client.ApiException) -> str:
    """An answer that is no success; without a status none came, and the reason tells why."""
    if not error.status:
        return _plain(str(error.reason or "")) or "no answer"
    said = status_message(error.body)
    return f"{_title(error.status, error.reason)}: {said}" if said else _title(error.status)


def _title(status: int | None, named: str | None = None) -> str:
    phrases = {one.value: one.phrase for one in HTTPStatus}
    return f"{status} {named or phrases.get(status or 0, '')}".rstrip()


def _inner(error: BaseException) -> BaseException | None:
    """The error that an error of urllib3's, requests' or docker's is about."""
    about = (getattr(error, "reason", None), *error.args, error.__cause__)
    return next((one for one in about if isinstance(one, BaseException)), None)


def _server(error: BaseException) -> str | None:
    """The server that a connection was wanted to, as "127.0.0.1:6443"."""
    from docker.errors import DockerException

    if isinstance(error, DockerException):
        return "the engine's API"
    for place in (vars(error).get("conn"), vars(error).get("pool")):
        host, port = getattr(place, "host", None), getattr(place, "port", None)
        if host and port:
            return f"{host}:{port}"
    return None


def _of_system(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    said = _SOURCE.sub("", reason(error))
    return f"{said}: {error.filename}" if error.filename else said


def _plain(text: str) -> str:
    return " ".join(_OBJECT.sub("", text).split())
