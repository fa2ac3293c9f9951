"""What is lost of a lab is found, also when the lab's own programs have been called off."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import kubernetes.client
import pytest

from meshproof.errors import CancelledError, EngineError
from meshproof.events import Recorder
from meshproof.lab.alive import lost_part
from meshproof.lab.base import Lab
from meshproof.lab.machine import RunningMachine
from meshproof.model import Capability
from meshproof.process import Shell

EAST, WORKER, ROUTER = "mp-0-east-control-plane", "mp-0-east-worker", "mp-0-router"
MACHINE = "mp-0-shop-machine"


class Engine:
    """Runs programs in containers that are not among ``stopped``."""

    stopped: frozenset[str] = frozenset()

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def exec(self, container: str, argv: Sequence[str], **_: Any) -> None:
        if self.shell.cancelled:
            raise CancelledError("the run was called off")
        if container in self.stopped:
            raise EngineError(f"container {container} does not run")


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The API servers; ``refuses`` is what they raise."""
    world = SimpleNamespace(refuses=None)

    def get_code(**_: object) -> None:
        if world.refuses is not None:
            raise world.refuses

    version = SimpleNamespace(get_code=get_code)
    monkeypatch.setattr(kubernetes.client, "VersionApi", lambda api: version)
    return world


def lab(*stopped: str, called_off: bool = False) -> Lab:
    """A lab of one cluster with two nodes, of which some containers are stopped."""
    engine = type("Stopping", (Engine,), {"stopped": frozenset(stopped)})(Shell())
    if called_off:
        engine.shell.cancel()
    nodes = [SimpleNamespace(container=name) for name in (EAST, WORKER)]
    cluster = SimpleNamespace(name="east", nodes=nodes, api=None)
    made = SimpleNamespace(
        engine=engine,
        capabilities=frozenset(Capability),
        recorder=Recorder(),
        clusters={"east": cluster},
        machines={"shop": RunningMachine("shop", MACHINE, cast(Any, engine))},
        router=SimpleNamespace(container=ROUTER),
    )
    return cast(Lab, made)


@pytest.mark.parametrize("called_off", [False, True])
def test_what_is_lost_is_named_whether_or_not_programs_were_called_off(called_off: bool) -> None:
    assert lost_part(lab(called_off=called_off)) is None
    told = lost_part(lab(WORKER, called_off=called_off))
    assert told == f"cluster east is lost: container {WORKER} does not run"
    told = lost_part(lab(ROUTER, called_off=called_off))
    assert told == f"the router is lost: container {ROUTER} does not run"


def test_an_api_server_that_does_not_answer_is_a_cluster_that_is_lost(api: Any) -> None:
    api.refuses = ConnectionRefusedError(111, "Connection refused")
    assert lost_part(lab()) == (
        "cluster east is lost: its API server does not answer: connection refused"
    )


def test_a_machine_that_was_stopped_is_named() -> None:
    assert lost_part(lab(MACHINE)) == f"machine shop is lost: container {MACHINE} does not run"
