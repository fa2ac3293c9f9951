"""Fetches release files and lists over HTTPS; whatever goes wrong is one sentence with a remedy.

Proxies are those that HTTPS_PROXY and its like name (``requests`` heeds them). Authorities are
those that OpenSSL trusts here, or that SSL_CERT_FILE names, and those that come with ``requests``:
many machines know their company's authority by the system's list alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from meshproof.errors import ArtifactError

if TYPE_CHECKING:
    import requests

CONNECT, SILENT = 10.0, 60.0
"""Seconds: how long a server may take to answer a connection, and to send nothing."""
AUTHORITIES = "SSL_CERT_FILE"
_CHUNK = 2**18
_SUM = re.compile(r"[0-9a-f]{64}")
_NETWORK = "check the network, or choose '--artifacts built'"


def fetch(url: str, file: Path) -> None:
    """Write what is at ``url`` into ``file``, when it has the sha256 that ``url``'s checksum file
    says. Raises ArtifactError; what was written until then stays, for whoever made the folder."""
    # The two projects call them differently.
    suffix = ".sha256" if url.endswith(".tar.gz") else ".sha256sum"
    due = text(url + suffix).split()[:1]
    if not due or not _SUM.fullmatch(due[0]):
        raise ArtifactError(
            f"{url}{suffix} holds no checksum", "see what answers there, perhaps a proxy's own page"
        )
    found = hashlib.sha256()
    with _answer(url) as answer, file.open("wb") as into:
        for chunk in answer.iter_content(_CHUNK):
            found.update(chunk)
            into.write(chunk)
    if found.hexdigest() != due[0]:
        raise ArtifactError(
            f"{url} is not what its project published (its sha256 is {found.hexdigest()}, and "
            f"{due[0]} is due)",
            "try again later, and see what stands between here and there: a proxy, or a mirror",
        )


def text(url: str) -> str:
    """The text at ``url``. Raises ArtifactError."""
    with _answer(url) as answer:
        return answer.content.decode(errors="replace")


def pages(url: str) -> Iterator[Any]:
    """What JSON is at ``url``, and on the pages that follow as the answers' links say, one by one
    as they are asked for. Raises ArtifactError."""
    following: str | None = url
    while following is not None:
        with _answer(following) as answer:
            try:
                content = answer.json()
            except ValueError:
                raise ArtifactError(
                    f"{following} holds no list",
                    "see what answers there, perhaps a proxy's own page",
                ) from None
            following = answer.links.get("next", {}).get("url")
        yield content


def answers(url: str, seconds: float) -> bool:
    """Whether a registry is at ``url``: 401 asks for a token, so one is. Never raises."""
    import requests

    try:
        with _session() as session:
            return session.head(url, timeout=seconds).status_code in (200, 401)
    except (requests.RequestException, ArtifactError):
        return False


@contextmanager
def _answer(url: str) -> Iterator[requests.Response]:
    """What answers ``url``, while its content is read inside the block."""
    import requests  # which takes a while, and is needed by who has no artifacts yet alone

    with _session() as session:
        try:
            with session.get(url, timeout=(CONNECT, SILENT), stream=True) as answer:
                if not answer.ok:
                    raise _refused(url, answer)
                yield answer
        except requests.RequestException as error:
            raise _failed(url, error) from error


def _session() -> requests.Session:
    """A session that trusts as this module says, and asks again where a server is overloaded."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    named = os.environ.get(AUTHORITIES)
    if named and not Path(named).is_file():
        raise ArtifactError(
            f"{AUTHORITIES} names {named}, and there is no such file",
            "let it name a file of certificates in PEM, or unset it",
        )
    trusted = ssl.create_default_context()

    class Trusting(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **options: Any) -> None:
            super().init_poolmanager(*args, ssl_context=trusted, **options)

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            return super().proxy_manager_for(proxy, ssl_context=trusted, **options)

    again = Retry(
        total=2,
        connect=1,
        read=0,
        status_forcelist=(502, 503, 504),
        backoff_factor=0.3,
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    session = requests.Session()
    session.mount("https://", Trusting(max_retries=again))
    return session


def _refused(url: str, answer: requests.Response) -> ArtifactError:
    """Says what a status means. GitHub answers 403 to who asks too often
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""
    status, server = answer.status_code, urlsplit(url).hostname
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    if status == 429 or (status == 403 and spent):
        wait = answer.headers.get("retry-after", "")
        later = f"in {wait} s" if wait.isdigit() else "in an hour"
        return ArtifactError(
            f"{server} answers no more requests from here for now ({status} for {url})",
            f"try again {later}, or choose '--artifacts built'",
        )
    if status in (401, 403, 407):
        return ArtifactError(
            f"{server} does not let us have {url} ({status})",
            "see whether a proxy or a mirror asks for a login, or choose '--artifacts built'",
        )
    if status == 404:
        return ArtifactError(f"there is no {url} (404)", "see whether there is such a version")
    return ArtifactError(f"{server} cannot serve {url} ({status})", "try again later")


def _failed(url: str, error: requests.RequestException) -> ArtifactError:
    """Says why there was no answer, or no whole one. Of the error's words none is told: they may
    name a proxy with its password."""
    from requests import exceptions

    server = urlsplit(url).hostname
    if isinstance(error, exceptions.ProxyError):
        return ArtifactError(
            f"the proxy that HTTPS_PROXY names does not lead to {server}",
            "see whether it is the right one, and lets you through, or unset HTTPS_PROXY",
        )
    if isinstance(error, exceptions.SSLError):
        return ArtifactError(
            f"the certificate of {server} is signed by nobody who is trusted here",
            f"let {AUTHORITIES} name a file, in PEM, with the certificate of your company's "
            "authority, if one stands between here and there",
        )
    if isinstance(error, exceptions.ConnectTimeout):
        return ArtifactError(f"{server} did not answer within {CONNECT:.0f} s", _NETWORK)
    # That a server is silent in the midst of an answer is told as an error of the connection.
    if isinstance(error, exceptions.ReadTimeout) or "Read timed out" in str(error):
        return ArtifactError(
            f"{server} sent nothing of {url} for {SILENT:.0f} s", f"try again later, or {_NETWORK}"
        )
    if isinstance(error, exceptions.ChunkedEncodingError | exceptions.ContentDecodingError):
        return ArtifactError(f"the download of {url} broke off midway", "try again")
    return ArtifactError(f"{server} cannot be reached for {url}", _NETWORK)
