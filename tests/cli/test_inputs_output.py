"""Output that cannot be written, Ctrl-C at once, and places that are gone: by the real program."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import pytest

from tests.cli.harness import NEVER_SAID
from tests.cli.records import lay, whole
from tests.cli.world import World

MESHPROOF = f"{shlex.quote(sys.executable)} -m meshproof"
FOUR_FAILS = ["PASS", *["FAIL"] * 4]


def shell(
    world: World, script: str, env: Mapping[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    """What bash says of a script in which MP is the program."""
    given: dict[str, str | None] = {**os.environ, **world.environment(), **(env or {})}
    # The programs of the script itself; of those that meshproof uses only the stand-ins matter.
    given["PATH"] = f"{world.path}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/bash", "-c", script.replace("MP", MESHPROOF)],
        cwd=world.work,
        env={name: value for name, value in given.items() if value is not None},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )


LOST = "could not be written in full"


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        pytest.param("MP report held | head -1; exit ${PIPESTATUS[0]}", 0, "", id="head, held"),
        pytest.param("MP report failed | head -1; exit ${PIPESTATUS[0]}", 1, "", id="head, FAIL"),
        pytest.param("MP report held >&-", 0, "", id="closed"),
        pytest.param("MP report failed >&- 2>&- <&-", 1, "", id="all closed"),
        pytest.param("MP report held >/dev/full", 2, LOST, id="full, held"),
        pytest.param("MP report failed >/dev/full", 1, LOST, id="full, FAIL"),
        pytest.param("MP report nowhere 2>/dev/full", 64, "", id="full, usage"),
        pytest.param(
            "PYTHONIOENCODING=ascii MP report failed", 1, "FAILED: 1 of 5 held", id="ascii"
        ),
        pytest.param(
            "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 MP status", 0, "No labs.", id="LC_ALL=C"
        ),
        pytest.param("env -u HOME MP status", 0, "No labs.", id="no HOME"),
        pytest.param(
            'rmdir "$PWD"; MP report held', 2, "the working directory is gone", id="place gone"
        ),
        pytest.param('MP report "$(printf "caf\\351")"', 64, "is no run's folder", id="not UTF-8"),
    ],
)
def test_the_output(world: World, script: str, code: int, said: str) -> None:
    if "rmdir" not in script:
        lay(whole(["PASS"], 0), "held")(world)
        lay(whole(FOUR_FAILS, 1), "failed")(world)
    done = shell(world, script)
    told = done.stdout + done.stderr
    assert done.returncode == code, told[-900:]
    assert said in told
    assert not [word for word in (*NEVER_SAID, "Exception ignored") if word in told], told[-900:]


def test_listing_tests_to_who_reads_one_line(world: World) -> None:
    done = shell(world, "MP verify bare --collect-only | head -1; exit ${PIPESTATUS[0]}")
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


def started(world: World, *argv: str) -> subprocess.Popen[str]:
    """The real program, which has SIGINT as a terminal's programs have it."""
    return subprocess.Popen(
        [sys.executable, *argv],
        cwd=world.work,
        env={**os.environ, **world.environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_until(program: subprocess.Popen[str], happened: Callable[[], bool]) -> None:
    """Wait while the program runs and it has not happened."""
    while program.poll() is None and not happened():
        time.sleep(0.005)


IN_LOADING = """
import importlib.abc, os, signal, sys

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
import meshproof.__main__
meshproof.__main__.main()
"""


@pytest.mark.parametrize("module", ["meshproof.cli.app", "meshproof.lab.sweep"])
def test_an_interrupt_while_it_is_loaded_is_quiet(world: World, module: str) -> None:
    (world.work / "early.py").write_text(IN_LOADING.replace("{module}", module))
    program = started(world, "-m", "early", "status")
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out, err) == (2, "", "")


def test_an_interrupt_while_an_engine_is_asked(world: World) -> None:
    world.put("podman", "exec sleep 30")
    program = started(world, "-m", "meshproof", "status")
    wait_until(program, lambda: bool(world.calls()))
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert (program.returncode, out) == (2, "")
    assert err.startswith("Interrupted.") and err.count("\n") == 1, err


IN_EVAL = """
import meshproof.__main__, meshproof.cli.app

def interrupted():
    raise KeyboardInterrupt

meshproof.cli.app.app = lambda **_: eval("interrupted()")
meshproof.__main__.main()
"""


def test_an_interrupt_while_the_command_line_is_read(world: World) -> None:
    (world.work / "late.py").write_text(IN_EVAL)
    program = started(world, "-m", "late")
    program.communicate(timeout=60)
    assert program.returncode == 2
