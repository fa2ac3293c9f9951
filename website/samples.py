"""`python -m website.samples [--first N] RUN…`: a real run's reports, as they may be published.

The runs' folders are copied without what tells of the machine (``scrub``), and the copies rendered
into reports/sample: the first one alone in every format, all of them as a trend, the first and the
last compared. ``--first``: of each run the first deployments alone, so that the sample is small.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD
from meshproof.report.compare import compare
from meshproof.report.compare.views import markdown as compared_markdown
from meshproof.report.compare.views import page as compared_page
from meshproof.report.formats import FORMATS, rendered, written
from meshproof.report.record import RECORD, Record, merged, run_named
from meshproof.report.trend import markdown as trend_markdown
from meshproof.report.trend import trend
from website.scrub import Scrub, left_over

SAMPLE = Path(__file__).resolve().parent.parent / "reports" / "sample"
LARGEST = 3_000_000
"""Bytes that the samples may have in all."""
_MOST = 20


def main(runs: Sequence[Path], first: int | None = None) -> int:
    """Make the samples. Returns 0, or 2 with a sentence on standard error."""
    missing = [str(run) for run in runs if not (run / RECORD).is_file()]
    if not runs or missing:
        return _refused(f"no record in {', '.join(missing) or 'nothing'}: name folders of runs")
    with tempfile.TemporaryDirectory() as folder:
        copies = scrubbed(runs, Path(folder), first)
        made = Path(folder, "sample")
        # Named from where they lie, so that no report says where that was.
        with chdir(folder):
            _render([copy.name for copy in copies], made)
        found = [
            f"{one.name}: {what}" for one in files(made) for what in left_over(read(one), _names())
        ]
        if found:
            return _refused(f"these still tell of the machine: {'; '.join(found[:10])}")
        if (size := sum(path.stat().st_size for path in files(made))) > LARGEST:
            return _refused(f"the samples have {size} bytes, more than {LARGEST}: add --first 2")
        shutil.rmtree(SAMPLE, ignore_errors=True)
        shutil.copytree(made, SAMPLE)
    return 0


def scrubbed(runs: Sequence[Path], folder: Path, first: int | None = None) -> list[Path]:
    """Copies of runs' folders without what tells of a machine, as run-1, run-2 and so on."""
    scrub = Scrub(_names())
    for run in runs:
        scrub.know(read(run / RECORD))
    copies = []
    for number, run in enumerate(runs, 1):
        copy = folder / f"run-{number}"
        for path in files(run):
            text = read(path)
            if first is not None and path.name == RECORD:
                text = begun_only(text, first)
            target = copy / scrub(str(path.relative_to(run)))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(scrub(text), encoding="utf-8")
        copies.append(copy)
    return copies


def begun_only(record: str, first: int) -> str:
    """A record up to where the tests of its ``first`` deployments end, as if no others had been
    asked for. Tests on one deployment come one after another where there is one worker."""
    events = [json.loads(line) for line in record.splitlines()]
    ended = [one for one in events if one["kind"] == "test"]
    order = list(dict.fromkeys(one["deployment"]["id"] for one in ended))[:first]
    done = {one["test"] for one in ended if one["deployment"]["id"] in order}
    last = max(at for at, one in enumerate(events) if one["kind"] == "test" and one["test"] in done)
    kept = [
        one for one in events[: last + 1] if one.get("test", "") in ("", *done) or _told(one, order)
    ]
    begin = next(one for one in kept if one["kind"] == "run-begin")
    begin["tests"] = [one for one in begin["tests"] if one in done]
    begin["deployments"] = [one for one in begin["deployments"] if one["id"] in order]
    begin["topologies"] = {n: one for n, one in begin["topologies"].items() if n in order}
    came_to = {one["outcome"] for one in ended if one["test"] in done}
    code = EXIT_COULD_NOT_TELL if came_to - {"PASS", "KNOWN", "FAIL"} else EXIT_HELD
    code = EXIT_DID_NOT_HOLD if "FAIL" in came_to else code
    kept.append({"at": kept[-1]["at"], "kind": "run-end", "exit_code": code})
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in kept)


def _told(event: dict[str, object], order: Sequence[str]) -> bool:
    return event["kind"] == "not-applicable" and event["deployment"] in order


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


def _render(names: Sequence[str], made: Path) -> None:
    runs = [run_named(name) for name in names]
    record = merged(runs[:1])
    for name in FORMATS:
        rendered(record, name, made)
    found = compare(record, Record((runs[-1],)))
    written(made / "compare.html", compared_page(found))
    written(made / "compare.md", compared_markdown(found))
    written(made / "trend.md", trend_markdown(trend(runs), _MOST))


def _refused(why: str) -> int:
    print(why, file=sys.stderr)  # noqa: T201 - a program's word
    return 2


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m website.samples", description=__doc__)
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="folders of runs")
    parser.add_argument("--first", metavar="N", type=int, help="of each run so many deployments")
    asked = parser.parse_args()
    sys.exit(main([one.resolve() for one in asked.runs], asked.first))
