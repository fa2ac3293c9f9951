"""Runs command lines inside this process, on a machine of their own, without network or clusters.

``case`` and ``refused`` make the rows of the tables in ``test_inputs_*.py``; ``check`` is what is
true of each row.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
import typer.main
from _pytest.mark import ParameterSet

from meshproof.artifacts import Bundle
from meshproof.cli.app import run as run_meshproof
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_USAGE
from meshproof.files import read_request, topology_named
from meshproof.model import RunRequest
from tests.cli.world import World

Argv = str | Sequence[str]
GIB = 2**30
NEVER_SAID = (
    "Traceback",
    "pydantic",
    "INTERNALERROR",
    "HTTPHeaderDict",
    "usage:",
    "unrecognized arguments",
    "__main__.py",
    "validation error",
    "Input should",
    "object at 0x",
    "errno",
    "Errno",
    "defect of meshproof",
    "gw0",
    "Value error",
)
LONG = "x" * 100_000
_PROGRESS = re.compile(r"^ +\d+ +\d+\.\d s  .*\n", re.MULTILINE)
"""The narrator's line for a step."""
LONGEST_SENTENCE = 800
"""Characters, without the paths of the test's own folder."""


# What never changes, and is most of the time of a row.
_topology_named = cache(topology_named)
_get_command = cache(typer.main.get_command)


class _ElsewhereError(BaseException):
    """The command went where it cannot be followed. No Exception: nobody may catch it."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(where)


@dataclass
class Ended:
    """How a command ended. ``code``: None when it went on; ``went``: where to, "" otherwise:
    "pytest" (with ``argv``, ``request`` and ``env``), "lab", "figures", "mend", or "hung"."""

    code: int | None = None
    out: str = ""
    err: str = ""
    went: str = ""
    made_artifacts: bool = False
    argv: list[str] = field(default_factory=list)
    request: RunRequest = field(default_factory=RunRequest)
    env: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """All that was printed."""
        return self.out + self.err


@dataclass(frozen=True)
class Case:
    """A row: a command line, what was laid before, and what must come of it.

    ``makes``: paths below the world's root that are there afterwards and were not before;
    ``registry``: whether one answers; ``seconds``: after which it is held to hang;
    ``one_sentence``: nothing but one line on standard error; ``raises``: what making the
    artifacts ends with.
    """

    argv: Argv
    code: int | None
    said: Sequence[str] = ()
    unsaid: Sequence[str] = ()
    lay: Callable[[World], object] | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    went: str = ""
    makes: Sequence[str] = ()
    one_sentence: bool = False
    raises: BaseException | None = None
    registry: bool = False
    seconds: float = 120.0


def case(name: str, argv: Argv, code: int | None, *said: str, **more: Any) -> ParameterSet:
    """A row."""
    return pytest.param(Case(argv, code, said, **more), id=name)


def refused(name: str, argv: Argv, *said: str, **more: Any) -> ParameterSet:
    """A row whose command is told in one sentence that it cannot be: exit code 64."""
    return case(name, argv, EXIT_USAGE, *said, one_sentence=True, **more)


def unable(name: str, argv: Argv, *said: str, **more: Any) -> ParameterSet:
    """A row whose command the machine refuses, in one sentence: exit code 2."""
    return case(name, argv, EXIT_COULD_NOT_TELL, *said, one_sentence=True, **more)


def goes_on(name: str, argv: Argv, *said: str, **more: Any) -> ParameterSet:
    """A row whose command goes on as pytest."""
    return case(name, argv, None, *said, went="pytest", **more)


def check(world: World, one: Case) -> Ended:
    """Run a row, and hold against it what is true of every row."""
    if one.lay is not None:
        one.lay(world)
    before = world.snapshot()
    ended = run(
        world, one.argv, one.env, raises=one.raises, registry=one.registry, seconds=one.seconds
    )
    told = ended.told
    assert (ended.went, ended.code) == (one.went, one.code), told[-900:]
    missing = [word for word in map(world.spelled, one.said) if word not in told]
    assert not missing, told[-900:]
    given = " ".join(one.argv) if not isinstance(one.argv, str) else one.argv
    # pytest-xdist's workers have folders of their names.
    plain = re.sub("popen-gw[0-9]+", "", told)
    foreign = [word for word in (*NEVER_SAID, *one.unsaid) if word in plain and word not in given]
    assert not foreign, told[-900:]
    if one.one_sentence:
        check_sentence(world, ended)
    after = world.snapshot()
    assert {name: about for name, about in after.items() if name not in one.makes} == before
    assert not [name for name in one.makes if name not in after], sorted(after)
    assert not world.changing_calls()
    return ended


def check_sentence(world: World, ended: Ended) -> None:
    """Nothing but one line on standard error, beside the steps', which a person can read."""
    assert ended.out == ""
    sentence = _PROGRESS.sub("", ended.err).removesuffix("\n").replace(str(world.root), "")
    assert sentence, "nothing was said"
    assert sentence.isprintable(), repr(sentence[:500])
    assert len(sentence) < LONGEST_SENTENCE, sentence[:500]


def run(
    world: World,
    argv: Argv,
    env: Mapping[str, str | None] | None = None,
    *,
    raises: BaseException | None = None,
    registry: bool = False,
    seconds: float = 120.0,
) -> Ended:
    """Run a command line in this world; ``env``: None takes a variable away."""
    words = shlex.split(argv) if isinstance(argv, str) else list(argv)
    given = {**world.environment(), **(env or {})}
    environ = {key: world.spelled(value) for key, value in given.items() if value is not None}
    ended = Ended()
    out, err = _stream(), _stream()
    with ExitStack() as stack:
        stack.enter_context(patch.object(sys, "argv", ["meshproof", *map(world.spelled, words)]))
        stack.enter_context(patch.object(sys, "stdout", out))
        stack.enter_context(patch.object(sys, "stderr", err))
        stack.enter_context(patch.dict(os.environ, environ, clear=True))
        stack.enter_context(patch("tempfile.tempdir", str(world.tmp)))
        stack.enter_context(_here(world))
        stack.enter_context(_without_the_rest(ended, raises, registry=registry))
        stack.enter_context(_signals_as_before(seconds))
        try:
            ended.code = run_meshproof()
        except _ElsewhereError as elsewhere:
            ended.went = elsewhere.where
    ended.out, ended.err = _text(out), _text(err)
    return ended


@contextmanager
def _without_the_rest(
    ended: Ended, raises: BaseException | None, *, registry: bool
) -> Iterator[None]:
    """Stand-ins for what makes artifacts, labs and figures, mends, and asks a registry."""

    def bundle(_: object) -> Bundle:
        if raises is not None:
            raise raises
        ended.made_artifacts = True
        none: dict[Any, Any] = {}
        kind, ours = Path("/kind"), Path("/ours")
        return Bundle(
            "built", "localhost/node:1", kind, none, none, "0" * 64, none, none, ours, none
        )

    def execve(program: str, argv: list[str], env: dict[str, str]) -> NoReturn:
        ended.argv, ended.env = argv, env
        file = Path(argv[-1].removeprefix("--meshproof-request="))
        ended.request = read_request(file)
        os.close(int(file.name))  # which would end with this process
        raise _ElsewhereError("pytest")

    memory = SimpleNamespace(total=16 * GIB, available=12 * GIB)
    stand_ins: dict[str, object] = {
        "meshproof.artifacts.built.Built.bundle": bundle,
        "meshproof.artifacts.published.Published.bundle": bundle,
        "meshproof.artifacts.provide.with_helm": lambda found, *_, **__: found,
        "os.execve": execve,
        "meshproof.lab.KindLab.create": _to("lab"),
        "meshproof.lab.KindLab.adopt": _to("lab"),
        "meshproof.bench.lab.measure": _to("figures"),
        "meshproof.doctor.mend": _to("mend"),
        "meshproof.artifacts.provide.registry_answers": lambda: registry,
        "meshproof.artifacts.published.registry_answers": lambda: registry,
        "meshproof.artifacts.releases.registry_answers": lambda: registry,
        "meshproof.run.selection.topology_named": _topology_named,
        "typer.main.get_command": _get_command,
        "psutil.virtual_memory": lambda: memory,
        "os.sched_getaffinity": lambda _: {0, 1},
        "os.geteuid": lambda: 0,
    }
    with ExitStack() as stack:
        for name, stand_in in stand_ins.items():
            stack.enter_context(patch(name, stand_in))
        yield


def _to(where: str) -> Callable[..., NoReturn]:
    def go(*_: object, **__: object) -> NoReturn:
        raise _ElsewhereError(where)

    return go


@contextmanager
def _here(world: World) -> Iterator[None]:
    """The world's working directory, which may be removed while one is in it."""
    before = Path.cwd()
    os.chdir(world.work)
    try:
        if world.gone:
            world.work.rmdir()
        yield
    finally:
        os.chdir(before)
        world.work.mkdir(exist_ok=True)


@contextmanager
def _signals_as_before(seconds: float) -> Iterator[None]:
    """Give back what a command does to signals, and end one that hangs."""

    def hung(_: int, __: FrameType | None) -> NoReturn:
        raise _ElsewhereError("hung")

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    alarm = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for one, handler in handlers.items():
            signal.signal(one, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace", newline="")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
