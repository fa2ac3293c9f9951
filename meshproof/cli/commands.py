"""The commands of `meshproof`: each with its place, its line on the page of all, and examples.

A command is imported when it is run or asked for its own page, and not before: `meshproof --help`
loads none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import typer.main
from typer.core import TyperCommand, TyperGroup

from meshproof.errors import UsageError
from meshproof.first import leave_quietly_when_interrupted, listen_as_usual
from meshproof.nearest import choose

HELP = {"help_option_names": ["-h", "--help"]}
"""How every command takes a wish for help."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``place``: module and name of its function, or of its Typer app; ``about``: what the page of
    all commands says of it; ``examples``: command lines without the program's name, the plainest
    first."""

    place: str
    about: str
    examples: tuple[str, ...]


COMMANDS: Mapping[str, Entry] = {
    "verify": Entry(
        "meshproof.cli.verify:verify",
        "Install the topologies, judge every behaviour, and print the verdict.",
        (
            "verify",
            "verify primary-remote-flat multi-primary-flat",
            "verify --istio 1.31.0 --istio 1.31.1 --profile all",
            "verify --only routing/header-decides --keep",
            "verify --suite routing --suite weight -k header",
            "verify --behaviour 'gateways/*' multi-primary-split-horizon",
            "verify --rerun-failed reports/20261128-164040-e6dc --repeat 3",
            "verify --dry-run",
        ),
    ),
    "upgrade": Entry(
        "meshproof.cli.upgrade:upgrade",
        "Upgrade meshes step by step while calls go on, and say what it cost.",
        (
            "upgrade --from 1.31.0 --to 1.31.1",
            "upgrade --from 1.31.0 --to 1.31.1 multi-primary-flat --strategy canary --rollback",
            "upgrade --from 1.31.0 --to 1.31.1 multi-primary-flat --first west --rollback-after 2",
            "upgrade --from 1.31.0 --to 1.31.1 --dry-run",
        ),
    ),
    "matrix": Entry(
        "meshproof.cli.verify:matrix",
        "Share the deployments of a run out among machines.",
        ("matrix --shards 4", "matrix --profile all --json --shards 8"),
    ),
    "topologies": Entry(
        "meshproof.cli.topologies:topologies",
        "List the topologies that there are, or draw them.",
        (
            "topologies",
            "topologies primary-remote-split-horizon --draw",
            "topologies federation --upkeep",
            "topologies --json",
        ),
    ),
    "behaviours": Entry(
        "meshproof.cli.verify:behaviours",
        "Print which behaviours are judged on which topologies.",
        ("behaviours", "behaviours --json"),
    ),
    "known-issues": Entry(
        "meshproof.cli.known_issues:known_issues",
        "List the behaviours that Istio is known not to keep.",
        ("known-issues", "known-issues --json"),
    ),
    "report": Entry(
        "meshproof.cli.report:report",
        "Print the table of runs again, or write reports.",
        (
            "report reports/20261128-164040-e6dc",
            "report reports/20261128-164040-e6dc --format html,junit",
            "report reports/SHARD-1 reports/SHARD-2 --shards 2 --format yaml --out public",
        ),
    ),
    "compare": Entry(
        "meshproof.cli.compare:compare",
        "Print what broke, and what was mended, between two runs.",
        (
            "compare reports/OLD reports/NEW",
            "compare reports/OLD reports/NEW --format html",
            "compare reports/OLD reports/NEW --json",
        ),
    ),
    "trend": Entry(
        "meshproof.cli.compare:trend",
        "Print which behaviours are flaky over many runs, and their times.",
        (
            "trend reports/OLD reports/NEW",
            "trend reports/OLD reports/NEW --markdown",
            "trend reports/OLD reports/NEW --json",
        ),
    ),
    "conformance": Entry(
        "meshproof.cli.conformance:conformance_app",
        "Conformance reports: check them, and their schema.",
        ("conformance check conformance.yaml", "conformance schema"),
    ),
    "repro": Entry(
        "meshproof.cli.repro:repro",
        "Make a test of an earlier run again, on a lab that stays.",
        (
            "repro reports/20261128-164040-e6dc",
            "repro reports/20261128-164040-e6dc routing/header-decides",
            "repro conformance.yaml",
        ),
    ),
    "enter": Entry(
        "meshproof.cli.enter:enter_app",
        "Open a shell in which kubectl and istioctl reach a lab's clusters.",
        ("enter 0123abcd", "enter 0123abcd east", "enter 0123abcd east -- kubectl get pods -A"),
    ),
    "up": Entry(
        "meshproof.cli.labs:up",
        "Bring up a lab and leave it in place.",
        ("up", "up --clusters east,west,north --wiring flat"),
    ),
    "down": Entry(
        "meshproof.cli.labs:down",
        "Remove a kept lab.",
        ("down 0123abcd", "down 0123abcd --dry-run"),
    ),
    "status": Entry(
        "meshproof.cli.labs:status",
        "List the labs on this machine.",
        ("status", "status --json"),
    ),
    "sweep": Entry(
        "meshproof.cli.labs:sweep",
        "Remove what runs that were killed have left behind.",
        ("sweep --dry-run", "sweep --kept"),
    ),
    "faults": Entry(
        "meshproof.cli.faults:faults",
        "List what can be broken on a kept lab, by 'fault'.",
        ("faults",),
    ),
    "fault": Entry(
        "meshproof.cli.faults:fault",
        "Break one thing on a kept lab until Ctrl-C, and heal it then.",
        ("fault 0123abcd partition east west",),
    ),
    "doctor": Entry(
        "meshproof.cli.doctor:doctor",
        "Check what the lab needs of this machine, and say what to do.",
        ("doctor", "doctor --fix"),
    ),
    "artifacts": Entry(
        "meshproof.cli.artifacts:artifacts_app",
        "Binaries and images, and their store.",
        (
            "artifacts list",
            "artifacts build --istio 1.31.1",
            "artifacts pull --istio latest",
            "artifacts push registry.example/me",
            "artifacts save artifacts.zip",
            "artifacts load artifacts.zip",
            "artifacts prune --dry-run",
        ),
    ),
    "bench": Entry(
        "meshproof.cli.bench:bench",
        "Measure clusters and meshes, by hand and by meshproof.",
        ("bench", "bench --topology primary-remote-flat --rounds 1"),
    ),
    "mutants": Entry(
        "meshproof.cli.mutants:mutants",
        "Switch small faults in istiod on, and see who notices.",
        ("mutants --list", "mutants --short"),
    ),
}


class Commands(TyperGroup):
    """The group of all commands, which knows of each no more than its line until it is run."""

    def __init__(self, **about: Any) -> None:
        super().__init__(**about)
        for name, one in COMMANDS.items():
            self.add_command(TyperCommand(name, help=one.about, context_settings=HELP))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names, loaded. Raises UsageError where there is none."""
        check_word(self, ctx, args)
        name, _, rest = super().resolve_command(ctx, args)
        return name, name and loaded(name), rest


class Parts(TyperGroup):
    """A command that has commands of its own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names. Raises UsageError where there is none."""
        check_word(self, ctx, args)
        return super().resolve_command(ctx, args)


def check_word(group: TyperGroup, ctx: Any, args: list[str]) -> None:
    """Raise UsageError when the first word is no command of the group. Options go on, and so does
    what a shell has completed."""
    unknown = args[0] not in group.commands and not args[0].startswith("-")
    if unknown and not ctx.resilient_parsing:
        raise UsageError(f"there is no command '{args[0]}'", choose(args[0], group.commands))


@cache
def loaded(name: str) -> Any:
    """The command called so, one of ``COMMANDS``, with its examples below its page."""
    module, _, attribute = COMMANDS[name].place.partition(":")
    leave_quietly_when_interrupted()  # nothing has been made yet
    found = getattr(import_module(module), attribute)
    listen_as_usual()
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name, context_settings=HELP)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    examples = COMMANDS[name].examples
    command.epilog = _epilog(examples)
    for part, one in getattr(command, "commands", {}).items():
        one.epilog = _epilog(line for line in examples if line.split()[1] == part)
    return command


def _epilog(examples: Iterable[str]) -> str:
    # What the library would run together stays apart by empty lines.
    return "\n\n".join(["Examples:", *(f"meshproof {one}" for one in examples)])
