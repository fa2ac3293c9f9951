"""Faults by name: what each takes, and what it is told when that is something else."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import UsageError
from meshproof.faults.catalogue import FAULTS, Words, fault_named
from meshproof.lab import Lab
from meshproof.model import Flow
from tests.every_fault import WORDS

EXAMPLES = {
    "CLUSTER": "east",
    "VERSION": "v1",
    "PERCENT": "5",
    "KBIT": "500",
    "MILLISECONDS": "50",
    "SECONDS": "9",
}


def lab() -> Lab:
    one = SimpleNamespace(name="east")
    made: Any = SimpleNamespace(
        id="01234567",
        clusters={"east": one, "west": one},
        shell=None,
    )
    return cast(Lab, made)


@pytest.mark.parametrize("name", FAULTS)
def test_each_begins_with_the_words_that_it_takes(name: str) -> None:
    fault = fault_named(name)
    given = [EXAMPLES[word] for word in fault.takes if not word.startswith("[")]
    fault.check(name, given)
    begun = fault.begin(Words(lab(), given))
    assert hasattr(begun, "__enter__") and hasattr(begun, "__exit__")
    assert fault.what.endswith(".")


@pytest.mark.parametrize("name", FAULTS)
def test_other_numbers_of_words_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"the fault {name} takes"):
        fault_named(name).check(name, ["east"] * 9)


def test_each_is_tried_on_clusters() -> None:
    assert WORDS.keys() == FAULTS.keys()
    for name, words in WORDS.items():
        fault_named(name).check(name, words.split())


def test_names_that_there_are_not() -> None:
    with pytest.raises(UsageError, match="there is no fault 'partitoin'") as told:
        fault_named("partitoin")
    assert "did you mean partition" in str(told.value)


@pytest.mark.parametrize("text", ["0", "-1", "", "x", "1e3", "nan", "٣", "1.2.3", "."])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(UsageError):
        Words(lab(), [text]).number(0)


def test_words() -> None:
    words = Words(lab(), ["east", "2.5", "gateway"])
    assert (words.cluster(0), words.number(1), words.flow(2)) == ("east", 2.5, Flow.GATEWAY)
    assert words.flow(3) is Flow.ANYTHING
    with pytest.raises(UsageError, match="has no cluster 'gateway'"):
        words.cluster(2)
    with pytest.raises(UsageError, match="there is no flow 'east'"):
        words.flow(0)


@pytest.mark.parametrize("text", ["", "-v1", "v 1", "v1\n", "x" * 64])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(UsageError, match="is no version"):
        Words(lab(), [text]).version(0)


@pytest.mark.parametrize("text", ["200", "5xx", "600", "", "50"])
def test_what_is_no_status_of_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="is no status of an error"):
        Words(lab(), [text]).status(0)
    assert Words(lab(), []).status(0) == 503
    assert Words(lab(), ["418"]).status(0) == 418


def test_every_fault_says_when_it_is_in_force() -> None:
    from meshproof.faults import between, credential, dns, gateway, node, workload

    for module in (between, credential, dns, gateway, node, workload):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                assert function.__doc__, name
