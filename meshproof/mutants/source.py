"""Writes mutants into Istio's source text: each where its lines are found, once, and guarded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from meshproof.errors import ArtifactError
from meshproof.mutants.catalogue import FOUND, Edit, Mutant
from meshproof.reading import file_errors, read_text

VARIABLE = "MESHPROOF_MUTANT"
"""The environment variable that names the mutant that is on in an istiod; unset: none is."""
PACKAGE = "pkg/mutant"
"""Where the package that reads it goes, from the top of Istio's tree."""
SWITCH = f'''// Package mutant says which fault of the catalogue is on in this process: at most one.
package mutant

import "os"

var named = os.Getenv("{VARIABLE}")

// On tells whether the fault of this name is on.
func On(name string) bool {{
	return named == name
}}
'''
_IMPORT = f"istio.io/istio/{PACKAGE}"
_CLAUSE = re.compile(r"^package \w+$")
_REMEDY = "correct 'find' in the catalogue, or leave the mutant out for this version of Istio"


def mutated(text: str, edits: Sequence[tuple[Mutant, Edit]]) -> str:
    """A Go file's text with edits in it, which must all be of this file.

    Several may change the same lines: each in turn what the one before it left. Raises
    ArtifactError that names the mutant when its lines are not there, are there more than once, or
    overlap with another's.
    """
    lines = text.split("\n")
    places = sorted(
        ((_place(lines, mutant, edit), mutant, edit) for mutant, edit in edits),
        key=lambda one: one[0],
    )
    out: list[str] = []
    done, last = 0, range(0)
    for start, mutant, edit in places:
        place = range(start, start + len(edit.lines))
        if place == last:  # around what the one before has made of the same lines
            out[-1] = _put(edit, out[-1])
            continue
        if start < done:
            raise ArtifactError(
                f"mutant {mutant.id} finds lines of {edit.file} that are part of another's",
                _REMEDY,
            )
        out += lines[done:start]
        out.append(_put(edit, "\n".join(lines[start : place.stop])))
        done, last = place.stop, place
    out += lines[done:]
    return "\n".join(_with_imports(out, [edit for _, _, edit in places]))


def mutated_files(tree: Path, mutants: Iterable[Mutant]) -> dict[str, str]:
    """The new text of each file that mutants change, and of the one that tells which is on, by
    its path in the tree. Raises ArtifactError as ``mutated`` does, and for a file that there is
    not."""
    by_file: dict[str, list[tuple[Mutant, Edit]]] = {}
    for mutant in mutants:
        for edit in mutant.edits:
            by_file.setdefault(edit.file, []).append((mutant, edit))
    texts = {
        name: mutated(
            read_text(tree / name, "the source file", remedy=_REMEDY, error=ArtifactError), edits
        )
        for name, edits in by_file.items()
    }
    return {f"{PACKAGE}/mutant.go": SWITCH, **texts}


def write_into(tree: Path, files: Mapping[str, str]) -> None:
    """Write the files into a tree that is ours to change. Raises ArtifactError."""
    for name, text in files.items():
        path = tree / name
        with file_errors(path, "the source file", doing="write", error=ArtifactError):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _put(edit: Edit, found: str) -> str:
    return edit.put.rstrip("\n").replace(FOUND, found)


def _place(lines: Sequence[str], mutant: Mutant, edit: Edit) -> int:
    """The number of the first of an edit's lines."""
    begin, end = _function(lines, mutant, edit) if edit.within else (0, len(lines))
    wanted = edit.lines
    stripped = [line.strip() for line in lines]
    found = [
        number
        for number in range(begin, end - len(wanted) + 1)
        if stripped[number : number + len(wanted)] == wanted
    ]
    if len(found) != 1:
        times = f"{len(found)} times" if found else "nowhere"
        raise ArtifactError(
            f"mutant {mutant.id} finds '{wanted[0]}' {times} in {edit.file}", _REMEDY
        )
    return found[0]


def _function(lines: Sequence[str], mutant: Mutant, edit: Edit) -> tuple[int, int]:
    """From the line that ``within`` is, to the end of what begins there."""
    begins = [number for number, line in enumerate(lines) if line.startswith(edit.within)]
    if len(begins) != 1:
        raise ArtifactError(
            f"mutant {mutant.id} finds '{edit.within}' {len(begins)} times in {edit.file}", _REMEDY
        )
    begin = begins[0]
    rest = range(begin + 1, len(lines))
    # gofmt leaves a closing brace without a blank before it to the end of a function alone.
    end = next((number for number in rest if lines[number] in ("}", ")")), len(lines) - 1)
    return begin, end + 1


def _with_imports(lines: list[str], edits: Iterable[Edit]) -> list[str]:
    """The lines with what is imported besides, right below the package's clause."""
    wanted = dict.fromkeys([_IMPORT, *(one for edit in edits for one in edit.imports)])
    there = {line.strip().removeprefix("import ").strip('"') for line in lines}
    added = [f"import {_spec(one)}" for one in wanted if one not in there]
    clause = next(number for number, line in enumerate(lines) if _CLAUSE.match(line))
    return [*lines[: clause + 1], "", *added, *lines[clause + 1 :]]


def _spec(named: str) -> str:
    """`"fmt"`, or `alias "path"` for a name and a path."""
    name, _, path = named.rpartition(" ")
    return f'{name} "{path}"' if name else f'"{path}"'
