"""The commands: each has a line, and a page with examples; none is loaded before it is run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib import import_module

import pytest

from meshproof.cli.commands import COMMANDS, loaded
from meshproof.cli.complete import complete_labs, complete_suites, complete_topologies
from meshproof.files import BARES, topology_names
from meshproof.run.selection import suite_names
from tests.cli.harness import Case, case, check, refused, run
from tests.cli.laid import LAB_ID, lab
from tests.cli.world import World

CLUSTERS = ("kubernetes", "docker", "testcontainers", "requests", "urllib3", "websocket", "dns")
"""What talks to clusters and engines."""
HEAVY = (*CLUSTERS, "pydantic", "scipy", "cryptography", "jinja2", "jsonschema", "pytest")
LISTING = """
import os, sys

def go_on(_, argv, env):  # in this process, so that what it has loaded is known
    os.environ.clear()
    os.environ.update(env)
    sys.argv = argv[argv.index("meshproof.runner"):]
    from meshproof.runner.__main__ import main
    main()

os.execve = go_on
sys.argv = ["meshproof", "verify", "--collect-only", "primary-remote-flat"]
from meshproof.__main__ import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded:", *sys.modules)
"""


def test_the_page_of_all_commands_has_each_and_loads_none() -> None:
    code = (
        "import sys; sys.argv = ['meshproof', '--help']; from meshproof.cli.app import run; run();"
        f"found = [one for one in {HEAVY!r} if one in sys.modules]; assert not found, found"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [name for name in COMMANDS if f" {name} " not in done.stdout] == []


def test_tests_are_listed_without_what_talks_to_clusters_and_without_sabotage() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTING], env=dict(os.environ), capture_output=True, text=True
    )
    listed, _, loaded = done.stdout.partition("\nloaded: ")
    assert "tests would run, on " in listed, done.stderr
    modules = set(loaded.split())
    # What is needed, and can be seen by the same look.
    assert modules >= {"pydantic", "meshproof.kube.client", "suites.routing.test_routing"}
    never = [*CLUSTERS, "scipy", "jinja2", "jsonschema", "suites.sabotage"]
    never += ["meshproof.doctor", "meshproof.evidence"]
    assert [one for one in never if one in modules] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_where_the_table_says_with_examples_that_can_be_typed(name: str) -> None:
    one = COMMANDS[name]
    module, _, attribute = one.place.partition(":")
    assert hasattr(import_module(module), attribute)
    command = loaded(name)
    assert one.examples and one.about.endswith(".")
    parts = getattr(command, "commands", None)
    assert set(parts or ()) == ({line.split()[1] for line in one.examples} if parts else set())
    for example in one.examples:
        words = shlex.split(example)
        assert words[0] == name
        if parts is not None:
            assert words[1] in parts and f"meshproof {example}" in parts[words[1]].epilog
            # A part has its words for help from the command that it is of, and keeps them.
            whole = command.context_class(command, info_name=name, **command.context_settings)
            parts[words[1]].make_context(words[1], words[2:], parent=whole)
        else:
            command.make_context(name, words[1:])


def test_a_commands_page_ends_with_its_examples(world: World) -> None:
    page = run(world, "matrix --help", {"COLUMNS": "100"}).out
    assert "Examples:" in page and "meshproof matrix --shards 4" in page


def test_without_a_word_the_page_of_help_is_the_answer(world: World) -> None:
    for words, example in (("", "trend"), ("conformance", "meshproof conformance schema")):
        done = run(world, words)
        assert (done.code, done.err) == (64, "") and example in done.out


def test_a_shell_completes_names_that_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complete_topologies("") == [*topology_names(), *BARES]
    assert complete_topologies("zo") == ["zones"]
    assert complete_suites("") == list(suite_names())
    monkeypatch.setenv("MESHPROOF_STATE", str(world.state))
    assert complete_labs("") == []
    lab()(world)
    assert complete_labs("01") == [LAB_ID]


def completed(world: World, line: str, word: int) -> list[str]:
    """What bash is told to complete a line with."""
    asked = {"_MESHPROOF_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(word)}
    env = {**os.environ, **world.environment(), **asked}
    argv = [sys.executable, "-m", "meshproof"]
    return subprocess.run(argv, env=env, capture_output=True, text=True).stdout.split()


def test_completion_of_commands_and_options(world: World) -> None:
    assert completed(world, "meshproof topo", 1) == ["topologies"]
    assert completed(world, "meshproof verify --suite rout", 3) == ["routing"]


ROWS = [
    case("topologies", "topologies", 0, "primary-remote-flat", "on demand", "bare-nodes"),
    case("one drawn", "topologies zones --draw", 0, "zones", "network", "istiod"),
    case("for programs", "topologies zones --json", 0, '"name": "zones"', '"default": false'),
    refused("a misspelled one", "topologies zonse", "did you mean zones"),
    case("what a federation takes", "topologies federation --upkeep", 0, "6 meshes", "26 in 7"),
    refused("what none takes", "topologies zones --upkeep", "zones exposes nothing"),
    refused("two forms", "topologies --draw --json", "ask for two forms"),
    refused("three forms", "topologies --draw --json --upkeep", "ask for three forms"),
    refused("two forms of behaviours", "behaviours --json --markdown", "ask for two forms"),
    case("labs for programs", "status --json", 0, "[]"),
    case("a lab for programs", "status --json", 0, f'"lab": "{LAB_ID}"', lay=lab()),
    refused("a lab's id misspelled", "down 0123abce", f"did you mean {LAB_ID}", lay=lab()),
    refused("to enter no lab", "enter 01234567", "there is no lab '01234567'"),
    refused("to enter what is no id", "enter east", "'east' is no lab's id"),
    refused("to enter no cluster", f"enter {LAB_ID} esat", "did you mean", lay=lab()),
    refused("to repeat nothing", "repro nowhere", "nowhere is no run's folder"),
    refused("to repeat an empty word", ["repro", ""], "named by an empty word"),
    refused(
        "an option misspelled", "matrix --shard 2", "no option '--shard': did you mean --shards or"
    ),
    refused("an option too many", "status -x", "no option '-x': see 'meshproof status --help'."),
    refused(
        "a word too few", "compare a", "Missing argument 'RUN_B': see 'meshproof compare --help'."
    ),
    refused("a command misspelled", "topologeis", "there is no command 'topologeis': did you mean"),
]


@pytest.mark.parametrize("one", ROWS)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
