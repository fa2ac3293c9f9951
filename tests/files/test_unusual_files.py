"""Files that are no files, no text or no document: both readers answer them alike, and at once."""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshproof.files import read_cluster, read_topology
from tests.files.sentence import sentence, write

Reader = Callable[[Path], object]


def read_kind_config(path: Path) -> object:
    return read_cluster("east", path)


@pytest.fixture(params=[read_topology, read_kind_config], ids=["topology", "kind"])
def read(request: pytest.FixtureRequest) -> Reader:
    found: Reader = request.param
    return found


@pytest.fixture(autouse=True)
def in_a_moment() -> Iterator[None]:
    """None takes long, whatever it holds."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 10


_LAUGHS = "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))
_MERGES = "".join(f"b{n + 1}: &b{n + 1} {{<<: [{', '.join([f'*b{n}'] * 9)}]}}\n" for n in range(9))
_LADDER = "".join(f"c{n + 1}: &c{n + 1} [*c{n}]\n" for n in range(200))

TEXTS: dict[str, tuple[str | bytes, int, str]] = {
    "nothing": ("", 1, "the file is empty"),
    "comments alone": ("# a\n\n# b\n", 1, "the file is empty"),
    "a byte order mark alone": (b"\xef\xbb\xbf", 1, "the file is empty"),
    "blanks": ("  \n\n ", 1, "the file is empty"),
    "a marker alone": ("---\n...\n", 1, "the file is empty"),
    "an empty mapping": ("{}\n", 1, "write "),
    "a list": ("\n- a\n", 2, "this is not a mapping"),
    "a word": ("null\n", 1, "this is not a mapping"),
    "latin-1": ("# ok\n# f\xfcr\n".encode("latin-1"), 2, "this is not UTF-8: save the file as"),
    "utf-16": ("name: t\n".encode("utf-16"), 1, "this is not UTF-8"),
    "utf-16 without a mark": ("name: t\n".encode("utf-16-le"), 1, "special characters"),
    "a program": (b"\x7fELF\x02\x01\x01\x00", 1, "special characters"),
    "NUL": ("name: t\nkind: \x00\n", 2, "special characters"),
    "NUL in quotes": ('"na\\0me": t\nkind: Cluster\n', 1, "the key 'na\\x00me' is unknown"),
    "a newline in a key": ('"na\\nme": t\nkind: Cluster\n', 1, "the key 'na\\nme' is unknown"),
    "half a character": ('name: "\\ud800"\n', 1, "holds half a character"),
    "half a character as a key": ('name: t\n"\\udfff": t\n', 2, "holds half a character"),
    "no character": ('name: "\\U00110000"\n', 1, "stands for no character): use single quotes"),
    "two documents": ("name: t\n---\nname: u\n", 2, "a second document begins here: keep one"),
    "a document and an end": ("name: t\n---\n", 2, "a second document begins here"),
    "YAML 2": ("%YAML 2.0\n---\nname: t\n", 1, "found incompatible YAML document"),
    "tabs": ("name: t\nx:\n\ty: 1\n", 3, "indent with spaces, not with tabs"),
    "an open quote": ('name: "t\n', 2, "unexpected end of stream"),
    "an open bracket": ("name: {\n", 2, "this is not YAML"),
    "a wild indent": ("name: t\n  kind: u\n", 2, "this is not YAML (mapping values"),
    "an unknown alias": ("name: *t\n", 1, "found undefined alias 't'"),
    "a wrong tag": ("name: !%zz t\n", 1, "this is not YAML (while scanning a tag"),
    "JSON cut short": ('{"name": "t", "clusters": {', 1, "this is not YAML"),
    "deep lists": ("a: " + "[" * 3000 + "]" * 3000, 1, "this is nested too deeply"),
    "deep mappings": ("a: " + "{a: " * 3000 + "}" * 3000, 1, "this is nested too deeply"),
    "deep blocks": ("".join(f"{' ' * n}a:\n" for n in range(900)), 50, "nested too deeply"),
    "deep dashes": ("- " * 3000 + "a", 1, "this is nested too deeply"),
    "a long list": ("a: [" + "b," * 500_000 + "]", 1, "there are more than 10000 values"),
    "many keys": ("".join(f"k{n}: v\n" for n in range(90_000)), 5000, "more than 10000 values"),
    "a billion laughs": (f"a0: &a0 lol\n{_LAUGHS}", 6, "stand for more than 10000 values"),
    "a billion merges": (f"b0: &b0 {{x: 1}}\n{_MERGES}", 5, "stand for more than 10000 values"),
    "a ladder of aliases": (f"c0: &c0 lol\n{_LADDER}", 51, "this is nested too deeply"),
    "an alias into itself": ("a: &a\n  b: *a\n", 2, "this alias leads into itself"),
    "a list in itself": ("a: &a [*a]\n", 1, "this alias leads into itself"),
    "a merge into itself": ("a: &a\n  <<: *a\n", 2, "this alias leads into itself"),
    "a merge of a word": ("<<: word\n", 1, "merges something else than mappings"),
    "two merges": ("<<: {a: 1}\n<<: {b: 1}\n", 2, "the key '<<' comes a second time, after line 1"),
    "a key twice": ("name: t\nname: u\n", 2, "the key 'name' comes a second time, after line 1"),
    "a key twice inside": ("x:\n  y:\n  - {z: 1, z: 2}\n", 3, "the key 'z' comes a second time"),
    "a key twice in quotes": ('name: t\n"name": u\n', 2, "the key 'name' comes a second time"),
    "a list as a key": ("? [a]\n: b\n", 1, "a key is not a word: write a word before the colon"),
    "a mapping as a key": ("{? {a: b} : c}\n", 1, "a key is not a word"),
    "an empty key": ('"": a\nkind: Cluster\n', 1, "the key '' is unknown"),
    "a key cut in two": ("name\u2028: a\n", 2, "this is not YAML"),
    "a long key": (f"{'k' * 900}: a\nkind: Cluster\n", 1, f"the key '{'k' * 57}…' is unknown"),
    "a huge number": (f"networking: 0x{'f' * 9000}\n", 1, ""),
    "sixties": (f"clusters: 1{':1' * 50_000}\n", 1, ""),
    "an empty number": ('name: !!int ""\n', 1, ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_document(tmp_path: Path, read: Reader, name: str) -> None:
    text, line, said = TEXTS[name]
    path = write(tmp_path / "any.yaml", text)
    message = sentence(read, path)
    assert said in message
    assert message.startswith(f"{path}:{line}: ")


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


def _zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _null(path: Path) -> None:
    path.symlink_to("/dev/null")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_folder, r"cannot read the {} .*a\.yaml \(is a directory\): name another."),
        (_loop, r"cannot read the {} .*a\.yaml \(too many levels of symbolic links\): "),
        (_dangling, r"there is no {} .*a\.yaml: name one that exists."),
        (_pipe, r"the {} .*a\.yaml is a pipe or a device: save it as a file."),
        (_socket, r"the {} .*a\.yaml is a pipe or a device: "),
        (_zero, r"the {} .*a\.yaml is a pipe or a device: "),
        (_null, r"the {} .*a\.yaml is a pipe or a device: "),
        (_huge, r"the {} .*a\.yaml is larger than 1 MiB: "),
    ],
)
def test_what_is_no_file(
    tmp_path: Path, read: Reader, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "a.yaml"
    make(path)
    what = "topology file" if read is read_topology else "kind configuration"
    assert re.match(said.format(what), sentence(read, path))


def test_a_file_that_may_not_be_read(
    tmp_path: Path, read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    path = write(tmp_path / "a.yaml", "name: t\n")
    monkeypatch.setattr(Path, "open", refuse)  # root, as which tests may run, reads everything
    assert "a.yaml (permission denied): name another." in sentence(read, path)
