"""A topology file as people write it, with one thing changed: accepted, or one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meshproof.files import read_topology
from meshproof.resources import resource
from tests.files.sentence import sentence, write

GOOD = """\
name: mine
clusters:
  east:
    role: primary
    network: net-east
    gateway: true
  west:
    role: remote
    primary: east
    network: net-west
    gateway: true
"""

LONGEST = "a" * 63

ACCEPTED = {
    "as it is": GOOD,
    "with Windows' line ends": GOOD.replace("\n", "\r\n"),
    "with a byte order mark": "\ufeff" + GOOD,
    "with a marker and comments": f"# a topology\n---\n{GOOD}# the end\n...\n",
    "as JSON": '{"name": "mine", "clusters": {"east": {"role": "primary", "network": "n"},'
    ' "west": {"role": "remote", "network": "n"}}}',
    "gateway: yes": GOOD.replace("true", "yes"),
    "a cluster called no": GOOD.replace("west:", "no:").replace(
        "west\n", "west\n    kind-config: west\n"
    ),
    "a name of 63 characters": GOOD.replace("mine", LONGEST),
    "a name of digits": GOOD.replace("mine", "2-1"),
    "a network of 63 characters": GOOD.replace("net-west", LONGEST),
    "a network in quotes": GOOD.replace("net-west", '"5"'),
    "an alias": GOOD.replace("network: net-east", "network: &net n").replace("net-west", "*net"),
    "a merge": "name: mine\nclusters:\n  east: &one {role: primary, network: n}\n"
    "  west:\n    <<: *one\n    role: remote\n",
    "a kind-config left empty": f"{GOOD}    kind-config:\n",
    "a cluster of 37 letters": GOOD.replace("west:", f"{'w' * 37}:").replace(
        "net-west", "net-west\n    kind-config: west"
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted(tmp_path: Path, name: str) -> None:
    assert len(read_topology(write(tmp_path / "mine.yaml", ACCEPTED[name])).workloads) == 2


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


ROLE, NETWORK, LAST = "role: remote", "network: net-west", "net-west\n    gateway: true\n"

REFUSED: list[tuple[str, str, int, tuple[str, ...]]] = [
    # name
    ("bare", changed("mine", "bare"), 1, ("'bare' stands for", "choose another name")),
    ("64 characters", changed("mine", LONGEST + "a"), 1, ("'name' has more than 63 characters",)),
    ("capitals", changed("mine", "Mine"), 1, ("'name' cannot be 'Mine'", "lower-case")),
    ("a path", changed("mine", "../mine"), 1, ("'name' cannot be '../mine'",)),
    ("a dot", changed("mine", "mine.v2"), 1, ("'name' cannot be 'mine.v2'",)),
    ("two hyphens", changed("mine", "a--b"), 1, ("'name' cannot be 'a--b'",)),
    ("a hyphen at the end", changed("mine", "a-"), 1, ("'name' cannot be 'a-'",)),
    ("a newline at the end", changed("mine", '"a\\n"'), 1, ("'name' cannot be 'a\\n'",)),
    ("a truth value", changed("mine", "yes"), 1, ("'name' cannot be yes: write a name",)),
    ("a number", changed("mine", "007"), 1, ("'name' cannot be 007",)),
    ("a date is a text", changed("mine", "x 2026-01-01"), 1, ("'name' cannot be 'x 2026-01-01'",)),
    ("nothing", changed("mine", ""), 1, ("'name' cannot be empty",)),
    ("an empty text", changed("mine", '""'), 1, ("'name' cannot be ''",)),
    ("a list", changed("mine", "[a]"), 1, ("'name' cannot be a list",)),
    ("a very long name", changed("mine", "x " * 900), 1, ("more than 63 characters",)),
    ("a very long role", changed(ROLE, f"role: {'r' * 900}"), 8, (f"cannot be '{'r' * 57}…'",)),
    ("another alphabet", changed("mine", "сеть"), 1, ("'name' cannot be 'сеть'",)),
    # keys
    ("a capital key", changed("name:", "Name:"), 1, ("'Name' is unknown", "did you mean name")),
    ("a key of a cluster above", f"role: primary\n{GOOD}", 1, ("it belongs under clusters",)),
    ("a key of the file below", changed(LAST, f"{LAST}    name: x\n"), 12, ("'name' of cluster",)),
    ("a misspelt role", changed(ROLE, "rol: remote"), 8, ("did you mean role",)),
    ("a misspelt gateway", changed(LAST, f"{LAST}    gatway: no\n"), 12, ("did you mean gateway",)),
    ("clusters as a list", "name: t\nclusters:\n- name: east\n", 2, ("cannot be a list", "{east:")),
    # clusters
    ("38 letters", changed("west:", f"{'w' * 38}:"), 7, ("no name for a cluster", "37 char")),
    ("a name with a newline", changed("west:", '"we\\nst":'), 7, ("'we\\nst' is no name",)),
    ("a name called outside", changed("west:", "outside:"), 7, ("'outside' is no name",)),
    ("an empty cluster name", changed("west:", '"":'), 7, ("'' is no name for a cluster",)),
    ("a cluster called [key]", changed("west:", '"[key]":'), 7, ("'[key]' is no name",)),
    ("[key] with a fault", changed("west:", '"[key]":').replace(ROLE, "x: y"), 8, ("'x'",)),
    ("role, in capitals", changed(ROLE, "role: REMOTE"), 8, ("'role' of cluster west cannot be",)),
    ("role, a list", changed(ROLE, "role: [remote]"), 8, ("cannot be a list", "write primary")),
    ("network of 64", changed(NETWORK, f"network: {LONGEST}a"), 10, ("more than 63 characters",)),
    ("network with a slash", changed(NETWORK, "network: a/b"), 10, ("cannot be 'a/b'",)),
    ("network, no text", changed(NETWORK, "network: on"), 10, ("cannot be on", "in quotes")),
    ("network, a dot last", changed(NETWORK, "network: a."), 10, ("cannot be 'a.'",)),
    ("gateway: 1", changed(LAST, "net-west\n    gateway: 1\n"), 11, ("cannot be 1: write true",)),
    ("gateway empty", changed(LAST, "net-west\n    gateway:\n"), 11, ("cannot be empty",)),
    ("primary unknown", changed("primary: east", "primary: est"), 9, ("'est', which is no",)),
    (
        "kind-config empty",
        f'{GOOD}    kind-config: ""\n',
        12,
        ("'kind-config' of cluster west cannot be ''",),
    ),
    ("kind-config NUL", f'{GOOD}    kind-config: "a\\0.yaml"\n', 12, ("'a\\x00.yaml'",)),
    ("kind-config long", f"{GOOD}    kind-config: {'k' * 5000}\n", 12, ("there is no kind", "…'")),
    ("kind-config up", f"{GOOD}    kind-config: ..\n", 12, ("there is no kind config",)),
    ("kind-config a folder", f"{GOOD}    kind-config: ./\n", 12, ("is a directory",)),
    ("kind-config itself", f"{GOOD}    kind-config: mine.yaml\n", 12, ("mine.yaml:1: neither",)),
    ("kind-config a pipe", f"{GOOD}    kind-config: /dev/zero\n", 12, ("a pipe or a device",)),
]


@pytest.mark.parametrize(("text", "line", "said"), [case[1:] for case in REFUSED])
def test_what_is_refused(tmp_path: Path, text: str, line: int, said: tuple[str, ...]) -> None:
    path = write(tmp_path / "mine.yaml", text)
    message = sentence(read_topology, path)
    assert message.startswith(f"{path}:{line}: ")
    assert not [words for words in said if words not in message], message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name: t\n",
        "name: t\nclusters: [east]\n",
    ],
)
def test_the_example_that_is_the_remedy_is_accepted(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "mine.yaml", text)
    example = re.search(r"\{.*\}", sentence(read_topology, path))
    assert example
    remedied = example[0] if example[0].startswith("{name") else f"name: t\nclusters: {example[0]}"
    assert read_topology(write(path, remedied)).names == ("east", "west")


def test_a_name_that_cannot_be_printed_is_on_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "two\nlines.yaml", "")
    assert r"two\nlines.yaml':1: the file is empty" in sentence(read_topology, path)
    path.unlink()
    assert r"two\nlines.yaml': name one that exists" in sentence(read_topology, path)


def test_a_path_with_a_dot_is_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path / "east.yaml", (resource("kind-configs") / "east.yaml").read_bytes())
    text = changed("net-east\n", "net-east\n    kind-config: ./east.yaml\n")
    topology = read_topology(write(tmp_path / "mine.yaml", text))
    assert topology["east"].cluster.kind_config == str(tmp_path / "east.yaml")
