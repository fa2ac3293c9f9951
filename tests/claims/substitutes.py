"""Puts a world in the place of clusters: what would reach out is answered by the world.

Replaced are functions at the seams to the API, to TLS and to waiting, in whichever module
knows them; all that judges, reads and compares is the library's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from contextlib import nullcontext
from ipaddress import IPv4Address
from typing import Any

import pytest

from meshproof import wait
from meshproof.errors import WaitTimeoutError
from meshproof.kube import dns, names, objects, workload
from meshproof.mesh import credentials, istiod
from meshproof.model import Deployment, Mtls
from meshproof.traffic import settle, tls_question
from tests.claims.tls import Tls
from tests.claims.world import World

_LOOKS = 3


def world(
    monkeypatch: pytest.MonkeyPatch,
    topology: str,
    mtls: Mtls = Mtls.STRICT,
    variants: Collection[str] = (),
) -> tuple[World, Tls]:
    """A mesh that is as it should be, in the place of real ones until the test ends."""
    made = World(topology, mtls, variants)
    tls = Tls(made)

    def turned(sample: Any, deployment: Deployment) -> None:
        sample.mesh.deployment = deployment

    replacements: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
        (wait.eventually, at_once),
        (workload.find_workload, made.found),
        (workload.list_workloads, made.listed),
        (credentials.installed_authority, tls.installed),
        (tls_question.ask, tls.ask),
        (objects.applied, made.apply),
        (objects.as_found, lambda *_: nullcontext()),
        (istiod.ask_istiod, made.istiod),
        (names.ask_name, made.asked),
        (dns.dns_address, lambda _: IPv4Address("10.110.0.10")),
        (settle.turn, turned),
    ]
    for original, substitute in replacements:
        everywhere(monkeypatch, original, substitute)
    return made, tls


def everywhere(
    monkeypatch: pytest.MonkeyPatch, original: Callable[..., Any], substitute: Callable[..., Any]
) -> None:
    """Replace a function in each module of meshproof and of the suites that knows it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("meshproof", "suites"):
            for known, value in list(vars(module).items()):
                if value is original:
                    monkeypatch.setattr(module, known, substitute)


def at_once(
    probe: Callable[[], Any],
    *,
    what: str,
    until: Callable[[Any], bool] = bool,
    **_: object,
) -> Any:
    """In place of ``wait.eventually``: a few looks, and no time between them."""
    for _look in range(_LOOKS):
        seen = probe()
        if until(seen):
            return seen
    raise WaitTimeoutError(f"{what} did not come about; last seen: {seen}")
