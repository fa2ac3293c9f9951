"""A request as a file, in JSON: how it travels to pytest and to workers, and what people write.

What is read is checked against a model that is made of the request's own fields, so that no option
is declared twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from meshproof.errors import UsageError
from meshproof.files.document import read_bytes, shown, shown_path
from meshproof.model.request import OPTIONS, Option, RunRequest
from meshproof.nearest import choose
from meshproof.paths import named

_WHAT = "request"
_BEGIN = 'write one such as {"topology": ["primary-remote-flat"]}'


def request_from(given: Mapping[str, Any]) -> RunRequest:
    """The request that says what is ``given`` by fields' names, and of the rest the defaults.

    Paths are texts, and become absolute: a request may be read elsewhere. Raises UsageError for an
    empty path, and for a word that an option does not take.
    """
    found: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        value = given.get(name, option.default)
        if option.kind is Path and value is not None:
            several = value if option.several else (value,)
            paths = [named(option.noun, str(one)) for one in several]
            value = paths if option.several else paths[0]
        found[name] = tuple(value) if option.several else value
    return RunRequest(**found)


def read_request(path: Path) -> RunRequest:
    """The request that a file holds. Raises UsageError, one sentence that names the file, for what
    is no JSON, has a key that there is not, or a value that an option cannot have."""
    data, name = read_bytes(path, _WHAT), shown_path(path)
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_each_once)
    except UnicodeDecodeError:
        raise UsageError(f"the {_WHAT} {name} is not UTF-8", "save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        cause = f"the {_WHAT} {name} is not JSON (line {error.lineno}: {error.msg})"
        raise UsageError(cause, _BEGIN) from None
    except (RecursionError, ValueError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"the {_WHAT} {name} cannot be read, since {why}", _BEGIN) from None
    if not isinstance(content, dict):
        raise UsageError(f"the {_WHAT} {name} is no JSON object", _BEGIN)
    return request_of(content, name)


def request_of(content: Mapping[str, Any], name: str) -> RunRequest:
    """The request that JSON values say, as a record or a file called ``name`` has them. Raises
    UsageError as ``read_request``."""
    try:
        given = _model().model_validate(content).model_dump(exclude_unset=True)
    except ValidationError as error:
        # A key that is unknown goes first: it explains why another one is missing.
        details = error.errors(include_url=False)
        first = min(details, key=lambda one: one["type"] != "extra_forbidden")
        raise _wrong(name, str(first["loc"][0])) from None
    try:
        return request_from(given)
    except UsageError as error:
        raise UsageError(f"the {_WHAT} {name}: {error.cause}", error.remedy) from None


def request_data(request: RunRequest) -> dict[str, Any]:
    """The request as JSON values, by fields' names."""
    data = asdict(request)
    for name, option in OPTIONS.items():
        value = data[name]
        if option.several:
            data[name] = list(map(str, value))
        elif option.kind is not bool and value is not None:
            data[name] = str(value)
    return data


def request_text(request: RunRequest) -> str:
    """The text of a request's file. Raises UsageError for a name that no text can hold."""
    text = json.dumps(request_data(request), indent=1, ensure_ascii=False) + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(
            "a name that is asked for is not UTF-8, and a request is written as text",
            "rename the file or folder, or check the word",
        ) from None
    return text


def hand_on(request: RunRequest) -> Path:
    """The request as a file for other processes of this run. It lies in memory and is there as
    long as this process, also when that goes on as another program: nobody need remove it.
    """
    number = os.memfd_create("meshproof-request", 0)  # so that it stays open when that goes on
    os.write(number, request_text(request).encode())
    return Path(f"/proc/{os.getpid()}/fd/{number}")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Of two values for one key one would be lost."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} is there twice")
    return content


@cache
def _model() -> type[BaseModel]:
    """What a request's file can say. Paths are texts here: ``request_from`` makes them paths."""
    members: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        one: Any = bool if option.kind is bool else str
        kind = list[one] if option.several else one if option.default is not None else one | None
        members[name] = (kind, None)
    return create_model("Request", __config__=ConfigDict(strict=True, extra="forbid"), **members)


def _wrong(path: str, key: str) -> UsageError:
    if key not in OPTIONS:
        cause = f"the {_WHAT} {path} has the key {shown(key)}, which there is not"
        return UsageError(cause, choose(key, OPTIONS))
    cause = f"in the {_WHAT} {path} '{key}' is {_not_what(OPTIONS[key])}"
    return UsageError(cause, _instead(OPTIONS[key]))


def _not_what(option: Option) -> str:
    if option.several:
        return "not a list of texts"
    return "neither true nor false" if option.kind is bool else "not a text"


def _instead(option: Option) -> str:
    if option.several:
        return f'write one such as ["{option.choices[0] if option.choices else "…"}"]'
    return "write true or false" if option.kind is bool else 'write it in quotes, as in "…"'
