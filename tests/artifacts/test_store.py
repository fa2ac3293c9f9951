"""The store: one build at a time, safe against kills, verified on use."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.errors import ArtifactError, CommandError
from meshproof.events import Event, Recorder
from meshproof.wait import eventually

_MAKER = """
import sys, threading
from pathlib import Path
from meshproof.artifacts.store import Recipe, Store
from meshproof.events import Recorder
from meshproof.wait import eventually

root, mark, finish = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "finish"
recorder = Recorder(listeners=[lambda e: print(e.kind, flush=True)])

def make(folder):
    (folder / "file").write_text("half")
    with (root / "makes").open("a") as log:
        log.write(mark)
    print("making", flush=True)
    if not finish:
        threading.Event().wait()
    eventually((root / "release").exists, what="the release", within=30, every=0.02)
    (folder / "file").write_text("whole")

Store(root).obtain(Recipe("thing", "1", {"a": 1}), make, recorder)
print("done", flush=True)
"""
RECIPE = Recipe("thing", "1", {"a": 1})


def _process(root: Path, mark: str, how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _MAKER, str(root), mark, how], stdout=subprocess.PIPE, text=True
    )


def _obtain(store: Store, text: str = "whole", recorder: Recorder | None = None) -> Entry:
    def make(folder: Path) -> dict[str, str]:
        (folder / "file").write_text(text)
        return {"fact": "known"}

    return store.obtain(RECIPE, make, recorder or Recorder())


def test_two_processes_build_once(tmp_path: Path) -> None:
    first = _process(tmp_path, "a", "finish")
    eventually((tmp_path / "makes").exists, what="the first build", within=20, every=0.02)
    second = _process(tmp_path, "b", "finish")
    assert second.stdout is not None
    waits = second.stdout.readline()
    (tmp_path / "release").touch()
    said = [process.communicate(timeout=30)[0] for process in (first, second)]
    assert (tmp_path / "makes").read_text() == "a"
    assert "done" in said[0]
    assert "done" in said[1]
    assert waits == "artifact-wait\n"


def test_a_killed_build_is_made_again_from_nothing(tmp_path: Path) -> None:
    killed = _process(tmp_path, "a", "hang")
    eventually((tmp_path / "makes").exists, what="the build", within=20, every=0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait(10)
    assert (tmp_path / "tmp" / RECIPE.digest / "file").read_text() == "half"
    assert Store(tmp_path).find(RECIPE) is None
    assert _obtain(Store(tmp_path)).file("file").read_text() == "whole"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_damaged_entry_is_made_again_and_the_record_says_so(tmp_path: Path) -> None:
    store, seen = Store(tmp_path), list[Event]()
    file = _obtain(store).file("file")
    file.chmod(0o644)
    file.write_text("wholf")
    entry = _obtain(store, recorder=Recorder(listeners=[seen.append]))
    assert entry.file("file").read_text() == "whole"
    assert [event.data["why"] for event in seen if event.kind == "artifact-lost"] == [
        "damaged: file"
    ]


def test_a_file_that_is_gone_and_a_cut_manifest_are_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = _obtain(store)
    entry.file("file").unlink()
    assert entry.damaged() == ["file"]
    manifest = _obtain(store).file("manifest.json")
    manifest.write_text(manifest.read_text()[:20])
    assert store.find(RECIPE) is None
    assert _obtain(store).damaged() == []


def test_what_the_engine_lost_is_made_again(tmp_path: Path) -> None:
    store, made = Store(tmp_path), list[Path]()
    for answer in ([True], [True], []):
        store.obtain(RECIPE, made.append, Recorder(), still_good=lambda _: bool(answer))  # noqa: B023
    assert len(made) == 2


def test_an_entry_says_what_went_in_and_cannot_be_written(tmp_path: Path) -> None:
    entry = _obtain(Store(tmp_path))
    manifest = json.loads(entry.file("manifest.json").read_text())
    assert manifest["facts"] == {"fact": "known"}
    assert manifest["inputs"] == {"a": 1}
    assert manifest["files"]["file"]["size"] == 5
    assert entry.file("file").stat().st_mode & 0o222 == 0


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "file").touch()
        raise ArtifactError("no")

    with pytest.raises(ArtifactError):
        Store(tmp_path).obtain(RECIPE, fail, Recorder())
    assert list((tmp_path / "tmp").iterdir()) == []
    with Store(tmp_path).unless_busy(RECIPE.digest) as idle:
        assert idle


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        CommandError(["go", "build"], 1, "", "link: write /x: no space left on device\nexit 1"),
    ],
)
def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path, error: Exception) -> None:
    def fail(_: Path) -> None:
        raise error

    recipe = Recipe("thing", "1", {}, needs=3 * 2**30)
    with pytest.raises(
        ArtifactError, match=r"disk is full: making thing 1 needs about 3 GiB"
    ) as at:
        Store(tmp_path).obtain(recipe, fail, Recorder())
    assert "artifacts prune" in at.value.remedy


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        Store(tmp_path).obtain(RECIPE, fail, Recorder())


def test_the_store_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHPROOF_STORE", str(tmp_path / "here"))
    assert Store().root == tmp_path / "here"
