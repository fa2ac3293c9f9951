"""`make test-docker`: bare clusters and topologies on a Docker Engine that is unpacked apart, while
a lab of podman's runs; afterwards that lab, and this machine's links and rules, are as before.

Needs root and podman. The engine's packages stay in the folder that is named; its data does not.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from meshproof.artifacts import Store
from meshproof.console import say_line
from meshproof.engine import Engine, choose_engine
from meshproof.engine.engine import KIND_LABEL
from meshproof.process import Shell
from meshproof.run.session import orderly_end
from tests.docker_apart.daemon import Daemon, inside, running
from tests.docker_apart.unpacked import unpack

_TOPOLOGIES = ("bare", "primary-remote-flat", "multi-primary-split-horizon")
_UP = re.compile(r"^Lab ([0-9a-f]{8}) is up", re.MULTILINE)
_KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "get", "--raw=/readyz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topologies", nargs="*", default=_TOPOLOGIES)
    parser.add_argument("--folder", type=Path, default=Store().root.parent / "meshproof-docker")
    given = parser.parse_args()
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    shell = Shell()
    podman = choose_engine(shell, "podman")
    with orderly_end(lambda text: say_line(text, err=True)):
        daemon = Daemon(folder, unpack(folder, shell))
        with _podmans_lab(podman) as nodes:
            before = _of_this_machine(shell)
            with running(daemon, shell):
                _judge(daemon, shell, list(given.topologies))
            _check(_of_this_machine(shell) == before, "links or rules of this machine's changed")
            for node in nodes:
                said = podman.exec(node, _KUBECTL, timeout=120).stdout.strip()
                _check(said == "ok", f"{node}, of podman's lab, says {said or 'nothing'}")
    say_line("podman's lab, and this machine's links and rules, are as they were before")


@contextmanager
def _podmans_lab(podman: Engine) -> Iterator[list[str]]:
    """Two clusters of podman's, inside the block; gives the names of their nodes."""
    said = _meshproof(podman.shell.environment(), "up", "--engine", "podman")
    (lab,) = _UP.findall(said)
    try:
        nodes = [
            one.name
            for one in podman.containers()
            if lab in one.labels.get(KIND_LABEL, "") and one.running
        ]
        _check(len(nodes) == 2, f"podman's lab has the nodes {nodes}")
        yield nodes
    finally:
        _meshproof(podman.shell.environment(), "down", lab)


def _judge(daemon: Daemon, shell: Shell, topologies: list[str]) -> None:
    """What docker runs: the verdicts, and that it was docker; nothing of it stays in the engine."""
    reports = daemon.folder / "reports"
    environment = {
        **daemon.environment(shell.environment()),
        "MESHPROOF_STATE": str(daemon.folder / "state-of-labs"),
    }
    begin = time.monotonic()
    asked = ("--engine", "docker", "--artifacts", "built", "--mtls", "strict")
    words = ("verify", *topologies, *asked, "--enforce", "--reports", str(reports))
    _meshproof(environment, *words, apart=True)
    say_line(f"{' '.join(topologies)} on docker: {time.monotonic() - begin:.0f} s")
    newest = max(reports.glob("*/events.jsonl"), key=lambda one: one.stat().st_mtime)
    engines = {
        event["engine"]["name"]
        for event in map(json.loads, newest.read_text(encoding="utf-8").splitlines())
        if event["kind"] == "artifacts"
    }
    _check(engines == {"docker"}, f"the record names the engine {engines or 'nowhere'}")
    # The control for what this machine's own rules are compared by: docker did write its own.
    rules = shell.run(inside("iptables", "-S")).stdout
    _check("DOCKER" in rules, "docker wrote no rules in its namespace, where they belong")
    listed = [str(daemon.programs / "docker"), "ps", "-aq"]
    left = shell.run(listed, env=daemon.environment(shell.environment())).stdout.split()
    _check(not left, f"containers stay in docker: {left}")


def _of_this_machine(shell: Shell) -> tuple[str, ...]:
    """Links, routes and rules, without what counts."""
    asked = (
        ["ip", "-br", "link"],
        ["ip", "-4", "route"],
        ["nft", "--stateless", "--terse", "list", "ruleset"],
    )
    return tuple(shell.run(one).stdout for one in asked)


def _meshproof(environment: Mapping[str, str], *words: str, apart: bool = False) -> str:
    """Run a command that must hold, in the engine's namespace if ``apart``; returns what it
    printed."""
    say_line(f"$ meshproof {' '.join(words)}")
    own = [sys.executable, "-m", "meshproof", *words]
    argv, said = inside(*own) if apart else own, []
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            say_line(line.rstrip("\n"))
            said.append(line)
    _check(process.returncode == 0, f"meshproof {words[0]} ended with {process.returncode}")
    return "".join(said)


def _check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"not proven: {what}")


if __name__ == "__main__":
    main()
