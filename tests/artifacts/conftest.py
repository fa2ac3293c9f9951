"""The outside of these tests, and a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.artifacts.store import Store

from .outside import Outside, outside

_HEEDED = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    """The outside, which is reached by a proxy, and whose authority is trusted."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    for name in (*_HEEDED, *map(str.upper, _HEEDED), *_AUTHORITIES, "MESHPROOF_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    with outside(folder) as found:
        monkeypatch.setenv("HTTPS_PROXY", found.proxy)
        monkeypatch.setenv("SSL_CERT_FILE", str(found.authority))
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")
