"""Says what is wrong with a conformance report, in one sentence for each fault."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from meshproof.events import Data
from meshproof.files.document import Document, read_document
from meshproof.nearest import choose
from meshproof.report.conformance.result import (
    COULD_NOT_TELL,
    FAILED,
    KNOWN_ISSUES,
    NOT_RUN,
    SKIPPED,
    Result,
    in_all,
    result_of,
)
from meshproof.report.texts import in_line

_SCHEMA = Path(__file__).with_name("schema.json")
_LEVELS = ("core", "extended")
_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
}
_LONGEST = 60

At = tuple[str | int, ...]


def schema() -> str:
    """The JSON Schema of conformance reports, as text."""
    return _SCHEMA.read_text(encoding="utf-8")


def read(path: Path) -> Document:
    """A conformance report's file. Raises UsageError for what cannot be read or is no YAML."""
    return read_document(path, "conformance report", "make one by 'meshproof report --format yaml'")


def faults(document: Document) -> list[str]:
    """What is wrong with a report, a sentence each with file and line; none where it is sound."""
    validator = Draft202012Validator(json.loads(schema()))
    found = sorted(validator.iter_errors(document.content), key=lambda one: _line(document, one))
    told = [(tuple(one.absolute_path), *_sentence(one)) for one in found]
    told = told or list(_contradictions(document.content))
    return list(dict.fromkeys(str(document.error(*one)) for one in told))


def _line(document: Document, error: ValidationError) -> int:
    return document.line(tuple(error.absolute_path))


def _sentence(error: ValidationError) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    where, value = _name(error.absolute_path), _written(error.instance)
    wanted: Any = error.validator_value
    given: Any = error.instance
    schema: Any = error.schema
    match error.validator:
        case "required":
            lacking = [name for name in wanted if name not in given]
            return f"{where} lacks {' and '.join(lacking)}", "add it"
        case "additionalProperties":
            known = list(schema["properties"])
            unknown = [name for name in given if name not in known]
            cause = f"{where} has {_written(unknown[0])}, which there is not"
            return cause, choose(unknown[0], known)
        case "enum":
            return f"{where} is {value}", choose(str(error.instance), wanted)
        case "const":
            return f"{where} is {value}", f"it must be {_written(wanted)}{_condition(error)}"
        case "type":
            return f"{where} is {value}, which is not {_KINDS[wanted]}", f"write {_KINDS[wanted]}"
        case "minimum":
            return f"{where} is {value}", f"it must be {wanted} at least{_condition(error)}"
        case "minItems" | "minLength":
            return f"{where} is empty", "write what it is, or leave out what it is part of"
        case "uniqueItems":
            return f"{where} has something twice", "leave one of the two out"
        case "pattern":
            return f"{where} is {value}", "write a time in UTC as in 2026-11-29T13:00:00Z"
    return f"{where}: {in_line(error.message)}", "see 'meshproof conformance schema'"


def _condition(error: ValidationError) -> str:
    """Of what holds for one result alone, which one."""
    if "then" not in error.absolute_schema_path:
        return ""
    words = list(error.absolute_schema_path)
    number = next(word for word in words if isinstance(word, int))
    branch = json.loads(schema())["$defs"]["level"]["allOf"][number]
    return f" where the result is '{branch['if']['properties']['result']['const']}'"


def _contradictions(report: Data) -> Iterator[tuple[At, str, str]]:
    """Where a report of the right form says two things that cannot both be."""
    names = [profile["name"] for profile in report["profiles"]]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield ("profiles", number, "name"), f"there are two profiles '{name}'", "keep one"
    whole = not report["notRun"] and report["scope"]["complete"]
    places: list[At] = [("profiles", n, one) for n in range(len(names)) for one in _LEVELS]
    levels = [report["profiles"][at[1]][at[2]] for at in places]
    for at, level in zip([*places, ("sabotage",)], [*levels, report["sabotage"]], strict=True):
        yield from _of_level(at, level, whole=whole)
    trusted = report["sabotage"]["result"] in (Result.SUCCESS, Result.NOT_JUDGED)
    results = [Result(level["result"]) for level in levels]
    right = in_all(results, whole=whole and trusted)
    if report["result"] != right:
        yield ("result",), *_contradiction("result", report["result"], right)


def _of_level(at: At, level: Mapping[str, Any], *, whole: bool) -> Iterator[tuple[At, str, str]]:
    statistics = level["statistics"]
    lists: Mapping[str, Iterable[Mapping[str, Any]]] = {
        name: level[name] for name in (FAILED, KNOWN_ISSUES, COULD_NOT_TELL, SKIPPED, NOT_RUN)
    }
    for name, listed in lists.items():
        count = sum(one.get("tests", 1) for one in listed)
        if count != statistics[name]:
            where = _name((*at, "statistics", name))
            cause = f"{where} is {statistics[name]}, and {count} tests are listed"
            yield (*at, "statistics", name), cause, "say the same in both places"
    right = result_of(statistics, whole=whole)
    if level["result"] != right:
        yield (*at, "result"), *_contradiction(_name((*at, "result")), level["result"], right)


def _contradiction(where: str, said: str, right: Result) -> tuple[str, str]:
    return f"{where} is '{said}', which the rest contradicts", f"it comes to '{right.value}'"


def _name(at: Iterable[str | int]) -> str:
    """A place in a report for people: profiles[0].core.result."""
    words: Sequence[str] = [f"[{word}]" if isinstance(word, int) else f".{word}" for word in at]
    return "".join(words).removeprefix(".") or "the report"


def _written(value: object) -> str:
    if isinstance(value, str):
        return f"'{in_line(value, _LONGEST)}'"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "empty" if value is None else json.dumps(value)
