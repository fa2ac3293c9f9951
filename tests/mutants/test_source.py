"""How mutants are written into source text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import ArtifactError
from meshproof.mutants.source import SWITCH, VARIABLE, mutated, mutated_files, write_into
from tests.mutants.made import GO, edit, mutant


def text_with(*changes: tuple[str, dict[str, Any]]) -> str:
    made = [mutant(id, edits=[one]) for id, one in changes]
    return mutated(GO, [(one, one.edits[0]) for one in made])


def test_what_is_put_surrounds_the_line_as_it_was() -> None:
    found = text_with(("a", edit('if mutant.On("a") {\n\treturn 1\n}\n@found')))
    assert 'if mutant.On("a") {\n\treturn 1\n}\n\tfmt.Println(n)\n\treturn 0\n}' in found


def test_every_line_of_the_original_is_still_there_in_its_order() -> None:
    found = iter(text_with(("a", edit('// "a"\n@found'))).split("\n"))
    assert all(line in found for line in GO.split("\n"))


def test_the_switch_is_imported_below_the_packages_clause_and_others_once() -> None:
    put = '@found\n// "a"'
    found = text_with(("a", edit(put, imports=["fmt", "strings", "sets lake/sets"])))
    head = [
        "package lake",
        "",
        'import "istio.io/istio/pkg/mutant"',
        'import "strings"',
        'import sets "lake/sets"',
    ]
    assert found.split("\n")[: len(head)] == head
    assert found.count('"fmt"') == 1


def test_several_lines_are_found_whatever_their_indentation() -> None:
    found = text_with(("a", edit('@found\n// "a"', "if n > 3 {\n  return n\n")))
    assert '\tif n > 3 {\n\t\treturn n\n// "a"\n\t}' in found


def test_mutants_of_the_same_lines_are_nested_in_turn() -> None:
    found = text_with(("a", edit('// "a"\n@found')), ("b", edit('// "b"\n@found')))
    assert '// "b"\n// "a"\n\tfmt.Println(n)' in found


def test_within_a_function_a_line_may_be_one_of_several() -> None:
    put = '// "a"\n@found'
    found = text_with(("a", edit(put, "return 0", within="func Shallow(")))
    assert 'fmt.Println(n)\n// "a"\n\treturn 0' in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit('"a" @found', "return 7"), "mutant a finds 'return 7' nowhere in lake/lake.go"),
        (edit('"a" @found', "return 0"), "mutant a finds 'return 0' 2 times in lake/lake.go"),
        (edit('"a" @found', within="func No("), r"finds 'func No\(' 0 times"),
        (edit('"a" @found', within="func Deep("), "finds 'fmt.Println.n.' nowhere"),
    ],
)
def test_lines_that_are_not_there_once_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        text_with(("a", change))


def test_lines_that_overlap_are_refused() -> None:
    first = ("a", edit('"a" @found', "if n > 3 {\nreturn n"))
    with pytest.raises(ArtifactError, match=r"mutant b finds lines of lake/lake.go that are part"):
        text_with(first, ("b", edit('"b" @found', "return n")))


def test_a_tree_gets_its_changed_files_and_the_switch(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake/lake.go").write_text(GO, encoding="utf-8")
    files = mutated_files(tmp_path, [mutant()])
    assert sorted(files) == ["lake/lake.go", "pkg/mutant/mutant.go"]
    write_into(tmp_path, files)
    assert 'mutant.On("no-print")' in (tmp_path / "lake/lake.go").read_text(encoding="utf-8")
    assert (tmp_path / "pkg/mutant/mutant.go").read_text(encoding="utf-8") == SWITCH
    assert f'os.Getenv("{VARIABLE}")' in SWITCH


def test_a_file_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot read the source file"):
        mutated_files(tmp_path, [mutant()])
