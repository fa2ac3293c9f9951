"""Only what meshproof marked as its own is deleted: real folders, in their place, not mounted."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from meshproof import owned
from meshproof.errors import MeshproofError
from meshproof.owned import (
    LAB,
    MARK,
    STORE,
    NotOursError,
    check_not_foreign,
    check_owned,
    delete_owned,
    delete_part,
    is_deletable,
    is_owned,
    make_owned,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "letter").write_text("dear")
    return folder


def test_a_folder_that_was_made_is_ours_and_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "labs" / "one"
    make_owned(folder, LAB)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert is_owned(folder, LAB)
    assert not is_owned(folder, STORE)
    (folder / "deep").mkdir()
    (folder / "deep" / "file").touch()
    delete_owned(folder, LAB, within=folder.parent)
    assert not folder.exists()
    delete_owned(folder, LAB, within=folder.parent)


def test_an_empty_folder_becomes_ours_and_one_with_files_does_not(
    tmp_path: Path, foreign: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    check_not_foreign(empty, STORE)
    make_owned(empty, STORE)
    make_owned(empty, STORE)
    assert is_owned(empty, STORE)
    for refuse in (make_owned, check_not_foreign, check_owned):
        with pytest.raises(NotOursError, match="is not marked as a store") as refused:
            refuse(foreign, STORE)
        assert refused.value.exit_code == 64
    assert names_in(foreign) == ["letter"]


def test_a_folder_of_another_kind_is_not_ours(tmp_path: Path) -> None:
    make_owned(tmp_path / "one", STORE)
    with pytest.raises(NotOursError):
        delete_owned(tmp_path / "one", LAB, within=tmp_path)
    with pytest.raises(NotOursError):
        make_owned(tmp_path / "one", LAB)


def test_what_was_killed_between_making_and_marking_is_ours(tmp_path: Path) -> None:
    for name in ("bare", "blank"):
        (tmp_path / name).mkdir()
    (tmp_path / "blank" / MARK).touch()
    for name in ("bare", "blank"):
        assert is_deletable(tmp_path / name, LAB)
        delete_owned(tmp_path / name, LAB, within=tmp_path)
    assert names_in(tmp_path) == []


def test_what_was_killed_in_the_middle_of_deleting_is_still_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "one"
    make_owned(folder, LAB)
    for name in ("a", "z"):
        (folder / name).mkdir()

    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            delete_owned(folder, LAB, within=tmp_path)
    assert is_owned(folder, LAB)
    delete_owned(folder, LAB, within=tmp_path)
    assert not folder.exists()


def test_nothing_is_deleted_or_made_ours_through_a_link(tmp_path: Path, foreign: Path) -> None:
    labs, away = tmp_path / "labs", tmp_path / "away"
    labs.mkdir()
    make_owned(away, LAB)
    (tmp_path / "hollow").mkdir()
    for name, target in (("a", foreign), ("b", away), ("c", tmp_path / "hollow"), ("d", "nowhere")):
        link = labs / name
        link.symlink_to(target)
        assert not is_deletable(link, LAB)
        with pytest.raises(NotOursError):
            delete_owned(link, LAB, within=labs)
        with pytest.raises(NotOursError):
            make_owned(link, LAB)
    (tmp_path / "linked").symlink_to(labs)
    make_owned(labs / "e", LAB)
    with pytest.raises(NotOursError, match="is a link"):
        delete_owned(tmp_path / "linked" / "e", LAB, within=tmp_path / "linked")
    assert is_owned(labs / "e", LAB)
    assert is_owned(away, LAB)
    assert names_in(foreign) == ["letter"]
    assert names_in(tmp_path / "hollow") == []


def test_a_mark_that_is_a_link_marks_nothing(tmp_path: Path, foreign: Path) -> None:
    make_owned(tmp_path / "ours", LAB)
    (foreign / MARK).symlink_to(tmp_path / "ours" / MARK)
    assert not is_owned(foreign, LAB)
    with pytest.raises(NotOursError):
        delete_owned(foreign, LAB, within=tmp_path)


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/", "../foreign"])
def test_what_does_not_lie_in_its_place_is_not_deleted(
    tmp_path: Path, foreign: Path, name: str
) -> None:
    labs = tmp_path / "labs"
    make_owned(labs / "a" / "b", LAB)
    make_owned(labs / "ours", LAB)
    with pytest.raises(NotOursError, match="does not lie in"):
        delete_owned(labs / name, LAB, within=labs)
    assert is_owned(labs / "a" / "b", LAB)
    assert names_in(foreign) == ["letter"]


def test_a_part_of_ours_goes_and_nothing_on_the_way_to_it(tmp_path: Path, foreign: Path) -> None:
    root = tmp_path / "store"
    make_owned(root, STORE)
    (root / "tmp" / "one").mkdir(parents=True)
    (root / "tmp" / "two").touch()
    for name in ("one", "two", "three"):
        delete_part(root, STORE, "tmp", name)
    assert names_in(root / "tmp") == []
    (root / "tmp" / "link").symlink_to(foreign)
    (root / "objects").symlink_to(foreign)
    linked: list[list[str]] = [["tmp", "link"], ["objects", "letter"], ["objects"]]
    for names in linked:
        with pytest.raises(NotOursError, match="is a link"):
            delete_part(root, STORE, *names)
    outside: list[list[str]] = [[], [".."], ["tmp/link"], [""], [MARK], ["tmp", ".."], ["a\0"]]
    for names in outside:
        with pytest.raises(NotOursError, match="is no part of"):
            delete_part(root, STORE, *names)
    with pytest.raises(NotOursError, match="is not marked"):
        delete_part(foreign, STORE, "letter")
    assert names_in(foreign) == ["letter"]


def test_nothing_is_deleted_through_a_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a lab"
    make_owned(folder, LAB)
    (folder / "data").mkdir()
    (folder / "other").touch()
    at = str(folder / "data").replace(" ", r"\040")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 0:21 / {at} rw - ext4 /dev/sdb rw\n")
    monkeypatch.setattr(owned, "_MOUNTS", mounts)
    with pytest.raises(MeshproofError, match=r"something is mounted at .*/a lab/data"):
        delete_owned(folder, LAB, within=tmp_path)
    assert names_in(folder) == [MARK, "data", "other"]
    beside = f"{folder}s".replace(" ", r"\040")
    mounts.write_text(f"22 1 0:21 / {beside} rw - ext4 /dev/sdb rw\n")
    delete_owned(folder, LAB, within=tmp_path)
    assert not folder.exists()


@pytest.mark.parametrize(
    "act",
    [
        lambda path: make_owned(path / "more", STORE),
        lambda path: make_owned(path, STORE),
        lambda path: check_not_foreign(path, STORE),
    ],
)
def test_what_is_no_folder_is_said_in_one_sentence(tmp_path: Path, act: object) -> None:
    (tmp_path / "file").touch()
    assert callable(act)
    with pytest.raises(MeshproofError, match=r"cannot (make|read) the folder .*file"):
        act(tmp_path / "file")


def test_processes_that_mark_a_folder_at_once_do_not_refuse_it(tmp_path: Path) -> None:
    refused: list[Exception] = []
    ready = threading.Barrier(8)

    def fill(number: int) -> None:
        ready.wait()
        try:
            make_owned(tmp_path / "store", STORE)
            (tmp_path / "store" / str(number)).touch()
        except MeshproofError as error:
            refused.append(error)

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == []
    assert is_owned(tmp_path / "store", STORE)
