"""The catalogue of mutants is valid, and fits the Istio that is built here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from meshproof.artifacts import default_wanted
from meshproof.artifacts.gobuild import go_recipe
from meshproof.errors import ModelError, UsageError
from meshproof.mutants.catalogue import Mutant, catalogue, chosen, load, settings
from meshproof.mutants.run import SHAPES
from meshproof.mutants.source import mutated_files, write_into
from meshproof.resources import resource
from tests.mutants.made import edit, mutant

_FAMILIES = {
    *("endpoints", "networks", "weights", "subsets", "routes", "tls-clients", "tls-servers"),
    *("gateways", "authorization", "peer-authentication", "names", "visibility"),
    *("remote-clusters", "certificates"),
}


def test_there_are_enough_in_every_family_and_most_leave_distribution_green() -> None:
    mutants = catalogue()
    assert len(mutants) >= 40
    assert 2 * sum(one.plain == "green" for one in mutants) >= len(mutants)
    assert {one.family for one in mutants} == _FAMILIES
    assert min(Counter(one.family for one in mutants).values()) >= 4


def test_the_five_of_the_short_run_are_noticed_by_behaviours_that_exist() -> None:
    few = chosen(short=True)
    assert len(few) == 5
    assert not any(one.missing for one in few)
    assert {one.topology for one in few} == {"flat"}  # one lab is enough for them
    assert {one.plain for one in few} == {"green"}
    assert not any(one.after or one.renew for one in few)  # which take their time


def test_the_five_are_those_that_the_suites_switch_on_each_with_its_behaviour() -> None:
    text = (resource("suites") / "sabotage" / "test_mutants.py").read_text(encoding="utf-8")
    proven = re.findall(r'@proves\("([^"]+)"\)', text)
    switched = re.findall(r'^ +"([a-z0-9-]+)",$', text, re.MULTILINE)
    switched = [one for one in switched if one in {mutant.id for mutant in catalogue()}]
    few = {one.id: one.notices for one in chosen(short=True)}
    assert dict(zip(switched, proven, strict=True)) == few


def test_behaviours_that_must_notice_exist_or_are_said_to_be_missing() -> None:
    known = _behaviours()
    assert known
    wrong = [one.id for one in catalogue() if (one.notices in known) == one.missing]
    assert wrong == []


def test_what_is_missing_is_explained_and_seldom() -> None:
    missing = [one for one in catalogue() if one.missing]
    assert [one.id for one in missing if not one.explained] == []
    assert 6 * len(missing) <= len(catalogue())


def test_the_behaviour_that_must_notice_is_judged_on_the_topology() -> None:
    """By docs/behaviours.md, where "n/a" says that it does not apply there."""
    cells = _cells()
    wrong = [
        one.id
        for one in catalogue()
        if not one.missing and cells[one.notices][SHAPES[one.topology]].startswith("n/a")
    ]
    assert wrong == []


def test_every_setting_is_used_and_its_objects_have_names_of_their_own() -> None:
    used = {name for one in catalogue() for name in one.under}
    assert used == set(settings())
    named = [one["metadata"]["name"] for setting in settings().values() for one in setting.objects]
    assert [name for name in named if not name.startswith("mutants-")] == []


def test_every_mutant_is_written_into_the_source_of_the_newest_istio(tmp_path: Path) -> None:
    tree = _istio()
    files = mutated_files(tree, catalogue())
    assert all(f'"{one.id}"' in "".join(files.values()) for one in catalogue())
    gofmt = shutil.which("gofmt")
    if gofmt is None:
        return
    write_into(tmp_path, files)
    parsed = subprocess.run(
        [gofmt, "-e", "-l", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert parsed.stderr == ""


def test_of_the_original_source_no_line_is_lost_or_changed() -> None:
    tree = _istio()
    for name, text in mutated_files(tree, catalogue()).items():
        if (tree / name).is_file():
            left = iter(line.strip() for line in text.split("\n"))
            lines = (tree / name).read_text(encoding="utf-8").split("\n")
            assert [line for line in lines if line.strip() not in left] == [], name


def test_chosen_narrows_by_everything_that_is_given() -> None:
    one = catalogue()[0]
    assert chosen([one.id], [one.family], [one.topology]) == (one,)
    assert {found.topology for found in chosen(shapes=["split"])} == {"split"}
    other = next(found for found in catalogue() if found.family != one.family)
    with pytest.raises(UsageError, match="no mutant is all of what was asked for"):
        chosen([one.id], [other.family])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"ids": ["nope"]}, "there is no mutant 'nope': see 'meshproof mutants --list'"),
        ({"ids": ["gateway-weighs-on"]}, "did you mean gateway-weighs-one"),
        ({"families": ["weigts"]}, "there is no family of mutants 'weigts': did you mean weights"),
        ({"shapes": ["round"]}, "there is no shape of topology 'round': choose one of"),
    ],
)
def test_what_there_is_not_is_told(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        chosen(**asked)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": "No Words"}, "is not made of lower-case words"),
        ({"notices": "lake"}, "is no id of a behaviour"),
        ({"tells": "3 x (404"}, "'3 x (404' is no regular expression"),
        ({"edits": []}, "at least 1 item"),
        ({"edits": [edit("@found")]}, "does not ask whether no-print is on"),
        ({"edits": [edit('mutant.On("no-print")')]}, "leaves out what was found"),
        ({"edits": [edit("@found", "a\nb\nc\nd\ne")]}, "must be one to 4 lines"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_a_mutant_that_cannot_be_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        mutant(**changed)


def test_a_file_that_is_wrong_is_named_with_the_mutant(tmp_path: Path) -> None:
    entry = {**mutant().model_dump(mode="json", exclude={"family"}), "plain": "blue"}
    (tmp_path / "lakes.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    with pytest.raises(ModelError, match=r"lakes\.yaml: no-print: plain: "):
        load(tmp_path)


def test_two_of_one_id_are_refused(tmp_path: Path) -> None:
    entry = mutant().model_dump(mode="json", exclude={"family"})
    (tmp_path / "lakes.yaml").write_text(yaml.safe_dump([entry, entry]), encoding="utf-8")
    with pytest.raises(ModelError, match="there are two mutants no-print"):
        load(tmp_path)


def test_the_family_is_the_files_name(tmp_path: Path) -> None:
    entry = mutant().model_dump(mode="json", exclude={"family"})
    (tmp_path / "ponds.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
    found: tuple[Mutant, ...] = load(tmp_path)
    assert [one.family for one in found] == ["ponds"]


def _behaviours() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in resource("suites").rglob("test_*.py"))
    return {id for text in texts for id in re.findall(r"@behaviour\(\s*\"([^\"]+)\"", text)}


def _cells() -> dict[str, dict[str, str]]:
    """The cells of docs/behaviours.md, by behaviour and topology."""
    text = Path(resource("suites").parent, "docs", "behaviours.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for line in text.split("\n"):
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if cells[0] == "behaviour":
            columns = cells
        elif line.startswith("| `"):
            found[cells[0].split("`")[1]] = dict(zip(columns, cells, strict=False))
    return found


def _istio() -> Path:
    """The newest Istio in Go's module cache, where builds here get it from."""
    text = (go_recipe("istio", default_wanted().istio[-1]).folder / "go.mod").read_text("utf-8")
    replaced = re.search(r"^\s*istio\.io/istio => (\S+) (\S+)$", text, re.MULTILINE)
    assert replaced is not None
    home = Path(os.environ.get("GOMODCACHE") or Path.home() / "go/pkg/mod")
    tree = home / f"{replaced[1]}@{replaced[2]}"
    if not tree.is_dir():
        pytest.skip(f"Istio's source is not in Go's module cache ({tree})")
    return tree
