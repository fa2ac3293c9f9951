"""The reference: commands as typer tells them, fixtures, markers and options as pytest does, and
the schemas of records and conformance reports."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from meshproof.report.conformance.check import schema as conformance_schema
from meshproof.schema import SCHEMA, json_schemas
from website.tables import table

_OURS = re.compile(r"^-+ fixtures defined from meshproof_fixtures\.(\w+) -+$")
_OTHERS = re.compile(r"^(-+ fixtures defined from .* -+|=+ .* =+)$")
_FIXTURE = re.compile(r"^(?P<name>\w+)(?: \[(?P<scope>\w+) scope\])? -- ")
_MARKER = re.compile(r"^@pytest\.mark\.(?P<call>(?P<name>\w+)(?:\([^)]*\))?): (?P<text>.*)$")
_FOREIGN = (
    "hypothesis",
    "allure_",
    "filterwarnings",
    "skip",
    "xfail",
    "parametrize",
    "usefixtures",
    "tryfirst",
    "trylast",
    "xdist_group",
    "no_cover",
)


def pages() -> dict[str, str]:
    """The pages of the reference by their address in the site."""
    return {
        "reference/cli.md": commands(
            _said("typer", "meshproof.cli.app", "utils", "docs", "--name", "meshproof")
        ),
        "reference/fixtures.md": fixtures(_said("pytest", "--fixtures")),
        "reference/markers.md": markers(_said("pytest", "--markers")),
        "reference/options.md": options(_said("pytest", "--help")),
        "reference/record.md": record(json_schemas()),
        "reference/conformance.md": conformance(json.loads(conformance_schema())),
    }


def commands(said: str) -> str:
    """What typer says of the commands. It writes for HTML: quotation marks are made plain. Raises
    ValueError for output without commands."""
    if "\n## `meshproof " not in said:
        raise ValueError("typer names no command of meshproof's")
    text = html.unescape(said)
    # Else a name in angle brackets is a tag, and its text is lost.
    text = re.sub(r"<(list\[)?(\w+)\]?>", r"\2", text)
    return text.replace("# `meshproof`", "# Commands", 1)


def fixtures(said: str) -> str:
    """Those of `pytest --fixtures` that are meshproof's, file by file. Raises ValueError for
    output that has none: the page would be empty."""
    lines, ours = [], False
    for line in said.splitlines():
        if found := _OURS.match(line):
            ours = True
            lines += [f"## {found[1]}", ""]
        elif _OTHERS.match(line):
            ours = False
        elif ours and (found := _FIXTURE.match(line)):
            scope = f", once a {found['scope']}" if found["scope"] else ""
            lines += [f"### `{found['name']}`{scope}", ""]
        elif ours:
            lines.append(line.strip().replace("``", "`"))
    if not lines:
        raise ValueError("pytest --fixtures names no fixture of meshproof's")
    return (
        "# Fixtures\n\nAs `pytest --fixtures` tells them wherever meshproof is installed. How they"
        " are used: [writing a behaviour](../howto/behaviour.md).\n\n"
        + "\n".join(lines).strip()
        + "\n"
    )


def markers(said: str) -> str:
    """Those of `pytest --markers` that are meshproof's. Raises ValueError where there is none."""
    found = [one for line in said.splitlines() if (one := _MARKER.match(line))]
    rows = [
        (f"`{one['call']}`", one["text"]) for one in found if not one["name"].startswith(_FOREIGN)
    ]
    if not rows:
        raise ValueError("pytest --markers names no marker of meshproof's")
    return (
        "# Markers\n\nAs `pytest --markers` tells them. What reason is told where a test does not"
        " apply: [the matrix](../matrix.md#where-a-test-applies).\n\n"
        + table(("marker", "what it says"), rows)
        + "\n"
    )


def options(said: str) -> str:
    """The group "meshproof" of `pytest --help`. Raises ValueError where there is none."""
    found = re.search(r"^meshproof:\n(.*?)\n\n", said, flags=re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError("pytest --help has no options of meshproof's")
    return (
        "# Options of pytest\n\nAs `pytest --help` tells them. `meshproof verify` has the same"
        f" without the prefix ([commands](cli.md#meshproof-verify)).\n\n```text\n{found[1]}\n```\n"
    )


def record(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """The fields of each kind of event that is read again."""
    parts = [
        "# Schema of the record",
        f"What is checked of `events.jsonl`, schema {SCHEMA}, made from `meshproof/schema.py`; in"
        " words: [the record](../record.md). Every event has `at` and `kind` as well. Fields that"
        " are not named here are let through.",
    ]
    for kind, schema in schemas.items():
        parts += [f"## {kind}", _fields(schema, schema)]
        parts += [
            f"### {kind}: {_named(name)}\n\n{_fields(one, schema)}"
            for name, one in schema.get("$defs", {}).items()
        ]
    return "\n\n".join(parts) + "\n"


def conformance(schema: Mapping[str, Any]) -> str:
    """The fields of a conformance report, and its schema in full."""
    parts = [
        "# Schema of conformance reports",
        f"{schema['description']} `meshproof conformance schema` prints it,"
        " `meshproof conformance check` checks a report; in words:"
        " [views](../views.md#the-conformance-report).",
        "## The report",
        _fields(schema, schema),
    ]
    for name, one in schema.get("$defs", {}).items():
        if "properties" in one:
            parts += [f"## {_named(name)}", _fields(one, schema)]
    text = json.dumps(schema, indent=2)
    parts += ["## In full", f'??? note "JSON Schema"\n\n    ```json\n{_indented(text)}\n    ```']
    return "\n\n".join(parts) + "\n"


def _fields(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"`{name}`",
            _type(one),
            "" if name in required else "may be left out",
            one.get("description", ""),
        )
        for name, one in schema.get("properties", {}).items()
    ]
    return table(("field", "type", "", "what it says"), rows) if rows else "Any fields."


def _type(one: Mapping[str, Any]) -> str:
    if "$ref" in one:
        return _named(one["$ref"].rpartition("/")[2])
    if "const" in one:
        return f"`{one['const']}`"
    if "enum" in one:
        return ", ".join(f"`{word}`" for word in one["enum"])
    for word in ("anyOf", "oneOf"):
        if word in one:
            return " or ".join(_type(each) for each in one[word])
    kind = one.get("type", "anything")
    if kind == "array":
        return f"list of {_type(one.get('items', {}))}"
    if kind == "object" and isinstance(one.get("additionalProperties"), Mapping):
        return f"mapping to {_type(one['additionalProperties'])}"
    return (
        " or ".join(kind) if isinstance(kind, Sequence) and not isinstance(kind, str) else str(kind)
    )


def _named(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.strip("_")).lower()


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _said(program: str, *arguments: str) -> str:
    """What a module's program prints, started in an empty folder, where no project's own settings
    have a say. Raises subprocess.CalledProcessError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", program, *arguments]
        return subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, check=True, env=_environment()
        ).stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTEST_ADDOPTS": "", "TERM": "dumb"}
