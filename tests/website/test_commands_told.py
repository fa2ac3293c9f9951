"""Commands and options that the documents and the workflows name are ones that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from meshproof.cli.commands import COMMANDS, loaded
from meshproof.resources import resource
from meshproof.runner.options import add_options

ROOT = resource("suites").parent
PAGES = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / ".github" / "workflows").glob("*.yml"),
        *(ROOT / ".github" / "actions").rglob("*.yml"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile")),
    ]
)
_CODE = re.compile(r"```.*?^\s*```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_REST = r"meshproof ((?:\\\n|[^`\n;|&#])*)"
"""What follows the program's name, to the end of the command."""
_IN_CODE = re.compile(rf"(?<![\w./-]){_REST}")
_IN_PROGRAMS = re.compile(rf"(?:^\s*|run: |\$\(|BIN\)/){_REST}", re.MULTILINE)
_OPTION = re.compile(r"--?[a-z][a-z-]*")
_ALONE = re.compile(r"^`(--[a-z-]+)[^`]*`$")
FOREIGN = {
    *("--multi-cluster", "--retry", "--flow-validation", "--junit-file"),  # of Cilium's suite
    "--collect-sysdump-on-failure",
    "--cgroupns",  # podman's
    "--wait",  # Helm's
    "--meshproof-",  # how all of the plugin's begin
}
"""Options of other programs, and what is none."""


def told(text: str, *, markdown: bool) -> Iterator[list[str]]:
    """The words of each command line in a document's code, or in a program's text, without the
    program's name."""
    pattern = _IN_CODE if markdown else _IN_PROGRAMS
    for code in _CODE.findall(text) if markdown else [text]:
        for said in pattern.findall(code):
            words = re.sub(r"""\\\n|['")]""", " ", said).split()
            if words and words[0] != "…":
                yield words


def wrong(words: list[str]) -> str:
    """What is not so of a command line; empty where all is."""
    name, *rest = words
    if name.startswith("-"):
        return "" if name in ("--help", "--version") else f"no option {name}"
    if name not in COMMANDS:
        return f"no command {name}"
    command: Any = loaded(name)
    parts = getattr(command, "commands", None)
    if parts is not None and rest and rest[0] != "--help":
        if rest[0] not in parts:
            return f"no command {name} {rest[0]}"
        command, rest = parts[rest[0]], rest[1:]
    if "--" in rest:
        rest = rest[: rest.index("--")]
    known = {"--help", "-h"} | {word for one in command.params for word in one.opts}
    given = [one.partition("=")[0] for one in rest if _OPTION.match(one)]
    lacking = [one for one in given if one not in known]
    return f"no option {lacking[0]} of {name}" if lacking else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_what_is_told_can_be_typed(page: Path) -> None:
    found = told(page.read_text(encoding="utf-8"), markdown=page.suffix == ".md")
    assert [f"meshproof {shlex.join(one)}: {wrong(one)}" for one in found if wrong(one)] == []


@lru_cache
def options() -> frozenset[str]:
    """The options of all commands, and of the plugin."""
    commands: list[Any] = list(map(loaded, COMMANDS))
    commands += [part for one in commands for part in getattr(one, "commands", {}).values()]
    parser = pytest.Parser(_ispytest=True)
    add_options(parser.getgroup("meshproof"))
    plugins = [word for one in parser.getgroup("meshproof").options for word in one.names()]
    return frozenset(
        [*plugins, *(word for one in commands for par in one.params for word in par.opts)]
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_options_that_are_named_by_themselves_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    alone = [found[1] for code in _CODE.findall(text) if (found := _ALONE.match(code))]
    alone += re.findall(r"--meshproof-[a-z-]+[a-z]", text)
    assert [one for one in alone if one not in options() | FOREIGN] == []


def test_such_a_look_finds_what_there_is_not() -> None:
    text = """`meshproof verfiy`, not `meshproof`, and no words of the meshproof lab.
```sh
meshproof verify zones --keep \\
  --reports-folder=x
meshproof artifacts lsit; meshproof status --jsn | head
meshproof enter LAB -- kubectl get pods --all-namespaces   # --what
```
"""
    found = list(told(text, markdown=True))
    assert [wrong(one) for one in found] == [
        "no command verfiy",
        "no option --reports-folder of verify",
        "no command artifacts lsit",
        "no option --jsn of status",
        "",
    ]


def test_there_is_much_to_look_at() -> None:
    """Else the pattern does not fit the pages any more."""
    number = {
        page.name: len(list(told(page.read_text(encoding="utf-8"), markdown=page.suffix == ".md")))
        for page in PAGES
    }
    assert number["commands.md"] > 30 and number["README.md"] > 2 and number["Makefile"] > 10
