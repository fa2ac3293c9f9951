"""No sabotage is left that nothing runs: what the Makefile's targets collect, taken together."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

from tests.runner.uses import TOP, suite_tests

TARGETS = ("test", "nodes", "sabotage", "change")
_RAN = re.compile(r"sabotage/(test_\w+)\.py::(test_\w+)")


def run_by(target: str) -> list[list[str]]:
    """The commands of a target that run sabotage, as modules of this Python that collect alone."""
    made = subprocess.run(["make", "-n", target], cwd=TOP, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    found = []
    for line in made.stdout.replace("\\\n", " ").splitlines():
        program, *words = shlex.split(line, comments=True) or [""]
        name = program.rpartition("/")[2]
        if name in ("meshproof", "pytest") and any("sabotage" in word for word in words):
            end = words.index("-n") if "-n" in words else len(words)
            found.append([sys.executable, "-m", name, *words[:end], "--collect-only"])
    return found


def test_every_sabotage_is_run_by_a_target_of_the_makefile() -> None:
    ran: set[tuple[str, str]] = set()
    for target in TARGETS:
        commands = run_by(target)
        assert commands, target
        for command in commands:
            quiet = ["-q"] if "pytest" in command else []
            told = subprocess.run([*command, *quiet], cwd=TOP, capture_output=True, text=True)
            collected = {(one[1], one[2]) for one in _RAN.finditer(told.stdout)}
            assert collected, told.stdout + told.stderr
            ran |= collected
    places = [place for place, *_ in suite_tests() if place[0].startswith("suites.sabotage.")]
    there = {(module.rpartition(".")[2], name) for module, name in places}
    assert len(there) > 90
    assert sorted(there - ran) == []
