"""A YAML document that knows its lines: what is wrong with it is one sentence that names them.

A file is bounded in size, depth and number of values, so that none takes more than a second or
two to be refused.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from meshproof.errors import UsageError
from meshproof.reading import file_errors

At = tuple[str | int, ...]
"""Where a value stands: the keys, and the numbers in lists, that lead to it."""

_MOST_BYTES = 1 << 20
_MOST_VALUES = 10_000
_DEEPEST = 50
# Numbers of more digits than people write take Python long to read, and it refuses to show them.
_LONGEST_NUMBER = 40
_MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content, as dicts, lists, texts, numbers, truth values and None.

    Keys are text as written, so that a cluster may be called "no". ``lines``: the line of each
    value's key (of an item in a list, its own); ``written``: each value for messages.
    """

    path: Path
    content: dict[str, object]
    lines: Mapping[At, int]
    written: Mapping[At, str]

    def line(self, at: At) -> int:
        """The line that a path of keys leads to, or that of its nearest existing parent."""
        while at not in self.lines:
            at = at[:-1]
        return self.lines[at]

    def error(self, at: At, cause: str, remedy: str) -> UsageError:
        """An error that begins with the file and the line of ``at``."""
        return UsageError(f"{shown_path(self.path)}:{self.line(at)}: {cause}", remedy)


class FaultError(Exception):
    """A text that is no YAML document that can be used. ``line`` counts from 1."""

    def __init__(self, line: int, cause: str, remedy: str) -> None:
        self.line, self.cause, self.remedy = line, cause, remedy
        super().__init__(cause)


def read_document(path: Path, what: str, begin: str) -> Document:
    """The mapping that a file holds. ``what`` names its kind, as in "topology file"; ``begin``:
    the remedy for a file of which nothing can be used.

    Aliases and merge keys ("<<") are followed. Raises UsageError: "file:line: cause: remedy." for
    a file that is not YAML, is empty, is no mapping, or has a key twice; without a line when it
    cannot be read or is too large.
    """
    data = read_bytes(path, what)
    try:
        root = compose(_text(data))
        if root is None or root.value == "":
            raise FaultError(1, "the file is empty", begin)
        if not isinstance(root, yaml.MappingNode):
            raise FaultError(_line(root), "this is not a mapping", begin)
        walk = _Walk()
        content = walk.mapping(root, (), 1, frozenset())
    except FaultError as fault:
        cause = f"{shown_path(path)}:{fault.line}: {fault.cause}"
        raise UsageError(cause, fault.remedy or begin) from None
    return Document(path, content, walk.lines, walk.written)


def compose(text: str) -> yaml.Node | None:
    """The root of the one document that a text holds; None when it holds none.

    Raises FaultError when the text is not YAML, or more than people write by hand.
    """
    try:
        loader = _Loader(text)
        root = loader.get_node() if loader.check_node() else None
        if loader.check_node():
            line = _next_line(loader)
            raise FaultError(line, "a second document begins here", "keep one, and no second '---'")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FaultError(line, f"this is not YAML ({error.reason})", "remove them") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        why = ", ".join(part for part in (error.context, error.problem) if part)
        remedy = "mend that line, or the one before it"
        if "'\\t'" in why:
            remedy = "indent with spaces, not with tabs"
        raise FaultError(line, f"this is not YAML ({why})", remedy) from None
    except ValueError:  # chr(), of the scanner's: "\U00110000"
        cause = "this is not YAML (an escape in double quotes stands for no character)"
        raise FaultError(1, cause, "use single quotes, or none") from None
    return root


def shown(text: str) -> str:
    """A text from a file for a message: in quotes, on one line, and not too long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


def shown_path(path: Path) -> str:
    """A path for a message, on one line and in characters that can be printed."""
    return str(path) if str(path).isprintable() else repr(str(path))


class _Loader(yaml.SafeLoader):
    """Composes nodes, up to a depth and a number."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        self._count += 1
        line = _next_line(self)
        if self._depth > _DEEPEST:
            raise FaultError(line, "this is nested too deeply", "")
        if self._count > _MOST_VALUES:
            raise FaultError(line, f"there are more than {_MOST_VALUES} values", "shorten it")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Walk:
    """Goes through nodes once, and notes the line of each and what is written there."""

    def __init__(self) -> None:
        self.lines: dict[At, int] = {}
        self.written: dict[At, str] = {}
        self._left = _MOST_VALUES

    def mapping(
        self, node: yaml.MappingNode, at: At, reached: int, holders: frozenset[int]
    ) -> dict[str, object]:
        """A mapping's content. ``reached``: the line that led here, which is further down than the
        node's own behind an alias; ``holders``: the nodes that it lies in."""
        self.lines.setdefault(at, _line(node))
        inside = holders | {id(node)}
        own: dict[str, int] = {}
        content: dict[str, object] = {}
        merged: list[tuple[int, yaml.MappingNode]] = []
        for key, value in node.value:
            name, line = _name(key), _line(key)
            if name in own:
                cause = f"the key {shown(name)} comes a second time, after line {own[name]}"
                raise FaultError(line, cause, "rename or remove one of the two")
            own[name] = line
            if key.tag == _MERGE:
                merged += [(max(line, reached), part) for part in _merged(value, line)]
                continue
            self.lines.setdefault((*at, name), line)
            content[name] = self._value(value, (*at, name), max(line, reached), inside)
        for line, part in merged:
            self._spend(part, line, inside)
            content = self.mapping(part, at, line, inside) | content
        return content

    def _value(self, node: yaml.Node, at: At, reached: int, holders: frozenset[int]) -> object:
        self._spend(node, reached, holders)
        if isinstance(node, yaml.MappingNode):
            self.written.setdefault(at, "a mapping")
            return self.mapping(node, at, reached, holders)
        if isinstance(node, yaml.SequenceNode):
            self.written.setdefault(at, "a list")
            inside = holders | {id(node)}
            content = []
            for number, item in enumerate(node.value):
                line = max(_line(item), reached)
                self.lines.setdefault((*at, number), line)
                content.append(self._value(item, (*at, number), line, inside))
            return content
        value = _scalar(node)
        as_written = shown(node.value) if isinstance(value, str) else node.value
        self.written.setdefault(at, "empty" if value is None else as_written)
        return value

    def _spend(self, node: yaml.Node, line: int, holders: frozenset[int]) -> None:
        """Count a value. Aliases make few nodes into many values, or into endlessly many."""
        self._left -= 1
        if self._left < 0:
            cause = f"the aliases up to here stand for more than {_MOST_VALUES} values"
            raise FaultError(line, cause, "write out what is meant")
        if id(node) in holders:
            cause = "this alias leads into itself"
            raise FaultError(line, cause, "write out what is meant")
        if len(holders) > _DEEPEST:
            raise FaultError(line, "this is nested too deeply", "")


def _merged(value: yaml.Node, line: int) -> list[yaml.MappingNode]:
    """The mappings whose keys "<<" adds, in order of precedence."""
    parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
    if not all(isinstance(part, yaml.MappingNode) for part in parts):
        cause = "'<<' merges something else than mappings"
        raise FaultError(line, cause, "write an alias of a mapping after it")
    return list(parts)


def _name(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise FaultError(_line(key), "a key is not a word", "write a word before the colon")
    _check_text(key)
    name: str = key.value
    return name


def _scalar(node: yaml.Node) -> object:
    """A text, or the truth value, number or None that it stands for."""
    _check_text(node)
    kind = node.tag.rpartition(":")[2]
    if kind in ("null", "bool", "int", "float") and len(node.value) <= _LONGEST_NUMBER:
        # A tag may not fit, as in "!!int two".
        with suppress(KeyError, ValueError, IndexError):
            return yaml.constructor.SafeConstructor().construct_object(node)
    return node.value


def _check_text(node: yaml.Node) -> None:
    try:
        node.value.encode()
    except UnicodeEncodeError:  # "\ud800"
        cause = f"{shown(node.value)} holds half a character"
        raise FaultError(_line(node), cause, "write it without that escape") from None


def _next_line(loader: yaml.SafeLoader) -> int:
    line: int = loader.peek_event().start_mark.line  # type: ignore[no-untyped-call]
    return line + 1


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def read_bytes(path: Path, what: str) -> bytes:
    """A file's bytes. ``what`` names its kind, as in "topology file". Raises UsageError when it
    cannot be read, is too large or no file."""
    name, article = shown_path(path), f"the {what}"
    try:
        with file_errors(Path(name), article, remedy="name another", error=UsageError):
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                # A pipe would be waited for, and can be read only once; devices have no end.
                cause = f"{article} {name} is a pipe or a device"
                raise UsageError(cause, "save it as a file")
            with path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
    except UsageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise UsageError(f"there is no {what} {name}", "name one that exists") from None
        raise
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{article} {name} is larger than 1 MiB", "name another, or shorten it")
    return data


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FaultError(line, "this is not UTF-8", "save the file as UTF-8") from None
