"""`python -m website.samples RUN…`: a real run's reports, as they may be published.

The runs' folders are copied without what tells of the machine (``scrub``), and the copies
rendered into reports/sample: the first one alone in every format, all of them as a trend, the
first and the last compared.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from website.scrub import Scrub, left_over

SAMPLE = Path(__file__).resolve().parent.parent / "reports" / "sample"
LARGEST = 3_000_000
_FORMATS = "html,junit,allure,yaml,markdown,annotations"
_RECORD = "events.jsonl"


def main(runs: Sequence[Path]) -> int:
    """Make the samples. Returns 0, or 2 with a sentence on standard error."""
    missing = [str(run) for run in runs if not (run / _RECORD).is_file()]
    if not runs or missing:
        return _refused(f"no record in {', '.join(missing) or 'nothing'}: name folders of runs")
    with tempfile.TemporaryDirectory() as folder:
        copies = scrubbed(runs, Path(folder))
        made = Path(folder, "sample")
        made.mkdir()
        _render(copies, made)
        found = [
            f"{path.name}: {one}" for path in files(made) for one in left_over(read(path), _names())
        ]
        if found:
            return _refused(f"these still tell of the machine: {'; '.join(found[:10])}")
        if (size := sum(path.stat().st_size for path in files(made))) > LARGEST:
            return _refused(
                f"the samples have {size} bytes, more than {LARGEST}: take a smaller run"
            )
        shutil.rmtree(SAMPLE, ignore_errors=True)
        shutil.copytree(made, SAMPLE)
    return 0


def scrubbed(runs: Sequence[Path], folder: Path) -> list[Path]:
    """Copies of runs' folders without what tells of a machine, as run-1, run-2 and so on."""
    scrub = Scrub(_names())
    for run in runs:
        scrub.know(read(run / _RECORD))
    copies = []
    for number, run in enumerate(runs, 1):
        copy = folder / f"run-{number}"
        for path in files(run):
            target = copy / scrub(str(path.relative_to(run)))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(scrub(read(path)), encoding="utf-8")
        copies.append(copy)
    return copies


def files(folder: Path) -> list[Path]:
    """The files below a folder that are text; archives and links are nobody's sample."""
    every = (one for one in sorted(folder.rglob("*")) if one.is_file() and not one.is_symlink())
    return [one for one in every if b"\0" not in one.read_bytes()[:4096]]


def read(path: Path) -> str:
    """A file's text, whatever it holds."""
    return path.read_text(encoding="utf-8", errors="replace")


def _names() -> list[str]:
    name = platform.node()
    return [one for one in {name, name.partition(".")[0]} if len(one) > 2 and one != "localhost"]


def _render(copies: Sequence[Path], made: Path) -> None:
    # Named from where they lie, so that no report says where that was.
    home, names = copies[0].parent, [one.name for one in copies]
    _meshproof(home, "report", names[0], "--format", _FORMATS, "--out", str(made))
    compared = ["compare", names[0], names[-1], "--format", "html,markdown", "--out", str(made)]
    _meshproof(home, *compared)
    trend = _meshproof(home, "trend", *names, "--markdown")
    (made / "trend.md").write_text(trend, encoding="utf-8")


def _meshproof(folder: Path, *arguments: str) -> str:
    """What a command prints. A report's exit code is its run's; only 64 is ours to mend."""
    done = subprocess.run(
        [sys.executable, "-m", "meshproof", *arguments], cwd=folder, capture_output=True, text=True
    )
    if done.returncode not in (0, 1, 2):
        raise SystemExit(done.stderr)
    return done.stdout


def _refused(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201 - a program's word
    return 2


if __name__ == "__main__":
    sys.exit(main([Path(one).resolve() for one in sys.argv[1:]]))
