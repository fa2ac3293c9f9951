"""A session records what its labs are made of as soon as that is known, and once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.artifacts import Bundle
from meshproof.events import Event
from meshproof.model import Version
from meshproof.run import session
from meshproof.run.session import Choices, Session
from meshproof.schema import is_as_recorded

ISTIO = Version(1, 31, 1)
BUNDLE = Bundle(
    source="built",
    node_image="localhost/meshproof/node:1",
    kind=Path("/kind"),
    istioctl={ISTIO: Path("/istioctl")},
    images={},
    digest="0" * 64,
    parts={"kind": "1" * 64, "node image": "2" * 64},
    proxies={ISTIO: "plain Envoy 1.40.0"},
    ours=Path("/ours"),
    filters_off={ISTIO: ("istio.alpn", "istio.stats")},
)


def test_the_artifacts_are_recorded_with_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Any = SimpleNamespace(name="podman", version=lambda: "4.3.1")
    monkeypatch.setattr(session, "choose_engine", lambda *_: engine)
    monkeypatch.setattr(session, "provide", lambda *_, **__: BUNDLE)
    heard: list[Event] = []
    made = Session(Choices(), [heard.append])
    assert made.bundle is made.bundle is BUNDLE
    (event,) = [one for one in heard if one.kind == "artifacts"]
    assert is_as_recorded(event.kind, event.data)
    assert event.data == {
        "engine": {"name": "podman", "version": "4.3.1"},
        "source": "built",
        "digest": "0" * 64,
        "parts": {"kind": "1" * 64, "node image": "2" * 64},
        "proxies": {"1.31.1": "plain Envoy 1.40.0"},
        "filters_off": ["istio.alpn", "istio.stats"],
    }
