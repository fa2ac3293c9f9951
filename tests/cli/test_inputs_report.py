"""`report` with records of all kinds: whole, cut off, damaged, or no records at all."""

from __future__ import annotations

import os

import pytest

from tests.cli import laid
from tests.cli.harness import LONG, Case, case, check, refused, unable
from tests.cli.laid import all_of, file
from tests.cli.records import begin, deployment, end, event, judged, lay, not_told, text, whole
from tests.cli.world import World

RUN = "report run"
EARLY = "The record ends early"
DAMAGED = "is no event of a run"


def _in_place(make: laid.Lay) -> laid.Lay:
    """A run's folder, in which ``make`` puts the record."""
    return all_of(lambda world: (world.work / "run").mkdir(), make)


def _fifo(world: World) -> None:
    os.mkfifo(world.work / "run" / "events.jsonl")


def _link(to: str) -> laid.Lay:
    return lambda world: (world.work / "run" / "events.jsonl").symlink_to(to)


FOLDERS = [
    refused("a report without a run", "report", "Missing argument"),
    refused("two runs", "report run other", "other", lay=lay(whole(["PASS"], 0))),
    refused(
        "no such format",
        "report run --format htlm",
        "there is no format 'htlm'",
        "did you mean html",
        lay=lay(whole(["PASS"], 0)),
    ),
    refused(
        "the report of two runs, and no place for it",
        "report run other --format html",
        "add --out FOLDER",
        lay=all_of(lay(whole(["PASS"], 0)), lay(whole(["PASS"], 0), "other")),
    ),
    unable(
        "a report where no file can be",
        "report run --format html --out /proc/1/x",
        "the folder of reports",
        lay=lay(whole(["PASS"], 0)),
    ),
    case(
        "a shard is lacking",
        "report run other --shards 3",
        2,
        "COULD NOT TELL: 1 of 2 held; 0 failed, 0 could not tell, 1 not run",
        "Of 3 shards 1 left no record.",
        lay=all_of(lay(whole(["PASS"], 0)), lay(whole(["PASS"], 0), "other")),
    ),
    refused(
        "no shards", "report run --shards 0", "give a number from 1", lay=lay(whole(["PASS"], 0))
    ),
    refused(
        "a place for no files", "report run --out x", "add '--format", lay=lay(whole(["PASS"], 0))
    ),
    refused(
        "a table, and files instead of it",
        "report run --timeline --format html",
        "ask for one of them",
        lay=lay(whole(["PASS"], 0)),
    ),
    refused("no such folder", "report nowhere", "nowhere is no run's folder", "reports"),
    refused(
        "an empty folder", RUN, "it has no events.jsonl", lay=lambda w: (w.work / "run").mkdir()
    ),
    refused(
        "the folder of all runs", "report .", "is no run's folder", lay=lay(whole(["PASS"], 0))
    ),
    refused("nothing", ["report", ""], "an empty word"),
    refused("a blank", ["report", " "], "is no run's folder"),
    case(
        "the record itself",
        "report run/events.jsonl",
        0,
        "HELD: 1 of 1",
        lay=lay(whole(["PASS"], 0)),
    ),
    refused("a file", "report x", "is no run's folder", lay=file("x")),
    refused("a device", "report /dev/null", "is no run's folder"),
    refused("a run's name alone", "report 20261128-101010-abcd", "is no run's folder"),
    refused("100 kB", ["report", LONG], "is no run's folder"),
    refused("a newline", ["report", "a\nb"], "is no run's folder"),
    refused("not UTF-8", ["report", "\udcff"], "is no run's folder"),
    refused("an unknown option", "report run --time", "--timeline", lay=lay(whole(["PASS"], 0))),
    refused("a loop of folders", "report loop", "is no run's folder", lay=laid.loop("loop")),
    unable(
        "the record is a folder",
        RUN,
        "events.jsonl",
        "is no file",
        lay=_in_place(lambda w: (w.work / "run" / "events.jsonl").mkdir()),
    ),
    unable(
        "the record is a loop",
        RUN,
        "events.jsonl",
        "symbolic links",
        lay=_in_place(_link("events.jsonl")),
    ),
    unable(
        "the record is a broken link",
        RUN,
        "events.jsonl",
        "no such file",
        lay=_in_place(_link("nowhere")),
    ),
    unable(
        "the record is a fifo",
        RUN,
        "events.jsonl",
        lay=_in_place(_fifo),
        seconds=1.0,
    ),
    unable(
        "the working directory is gone",
        "report run",
        "the working directory is gone",
        lay=laid.gone,
    ),
    case(
        "a link to a record",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=all_of(lay(whole(["PASS"], 0), "other"), _in_place(_link("../other/events.jsonl"))),
    ),
    case("a slash behind", "report run/", 0, "HELD: 1 of 1", lay=lay(whole(["PASS"], 0))),
    case("from the root", "report {work}/run", 0, "HELD: 1 of 1", lay=lay(whole(["PASS"], 0))),
    case(
        "a name with blanks",
        ["report", "my run"],
        0,
        "HELD: 1 of 1",
        lay=lay(whole(["PASS"], 0), "my run"),
    ),
]
WHOLE = [
    case(
        "all held",
        RUN,
        0,
        "HELD: 3 of 3; 0 failed, 0 could not tell, 0 not run",
        lay=lay(whole(["PASS"] * 3, 0)),
    ),
    case(
        "four FAILs",
        RUN,
        1,
        "FAILED: 1 of 5 held; 4 failed",
        "FAILED: t1",
        lay=lay(whole(["PASS", *["FAIL"] * 4], 1)),
    ),
    case(
        "one cannot tell",
        RUN,
        2,
        "COULD NOT TELL: 1 of 2 held",
        lay=lay(whole(["PASS", "INCONCLUSIVE"], 2)),
    ),
    case(
        "only skipped",
        RUN,
        2,
        "COULD NOT TELL: 0 of 2 held",
        "2 not run",
        lay=lay(whole(["skipped"] * 2, 2)),
    ),
    case("one not run", RUN, 2, "1 not run", lay=lay([begin("t0", "t1"), judged("t0"), end(2)])),
    case(
        "a FAIL and one that cannot tell",
        RUN,
        1,
        "FAILED: 0 of 2 held",
        lay=lay(whole(["FAIL", "INCONCLUSIVE"], 1)),
    ),
    case("an end with FAIL", RUN, 1, "FAILED: 0 of 1 held", lay=lay(whole(["FAIL"], 1))),
    case(
        "an end that knows more", RUN, 2, "COULD NOT TELL: 1 of 1 held", lay=lay(whole(["PASS"], 2))
    ),
    case(
        "twice judged: the worst",
        RUN,
        1,
        "FAILED: 0 of 1 held",
        lay=lay([begin("t"), judged("t"), judged("t", "FAIL"), end(1)]),
    ),
    case("a timeline", "report run --timeline", 0, "HELD: 1 of 1", lay=lay(whole(["PASS"], 0))),
    case(
        "a timeline of FAILs",
        "report run --timeline",
        1,
        "FAILED: 0 of 1",
        lay=lay(whole(["FAIL"], 1)),
    ),
    case(
        "what does not apply",
        RUN,
        0,
        "n/a ¹ it has one root",
        lay=lay([begin("t0"), not_told(), judged("t0"), end(0)]),
    ),
    case(
        "kinds of a later version",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay([event("of-tomorrow", x=1), *whole(["PASS"], 0)]),
    ),
    case(
        "fields of a later version",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay([begin("t"), judged("t", other=[1]), end(0)]),
    ),
    case(
        "Windows' line ends",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay(text(whole(["PASS"], 0)).replace(b"\n", b"\r\n")),
    ),
    case(
        "blank lines",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay(text(whole(["PASS"], 0)).replace(b"\n", b"\n\n")),
    ),
    case(
        "no newline at the end", RUN, 0, "HELD: 1 of 1", lay=lay(text(whole(["PASS"], 0)).rstrip())
    ),
    case(
        "a byte order mark",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay(b"\xef\xbb\xbf" + text(whole(["PASS"], 0))),
    ),
    case(
        "strange separators",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay([begin("t"), judged("t", why="a\u2028b\x85c"), end(0)]),
    ),
    case(
        "reasons with markup",
        RUN,
        1,
        "[/] [bold]",
        lay=lay([begin("t"), judged("t", "FAIL", why="[/] [bold]"), end(1)]),
    ),
    case(
        "behaviours with markup",
        RUN,
        0,
        "[/x]",
        lay=lay([begin("t"), judged("t", sentence="[/x]"), end(0)]),
    ),
    case(
        "deployments with markup",
        RUN,
        0,
        "[/x]",
        lay=lay([begin("t"), judged("t", deployment=deployment("[/x]")), end(0)]),
    ),
    case(
        "deployments with markup, timeline",
        "report run --timeline",
        0,
        "[/x]",
        lay=lay([begin("t"), judged("t", deployment=deployment("[/x]")), end(0)]),
    ),
    case(
        "terminal control",
        RUN,
        1,
        "cleared",
        unsaid=["\x1b"],
        lay=lay([begin("t"), judged("t", "FAIL", why="\x1b[2Jcleared"), end(1)]),
    ),
    case(
        "half a character",
        RUN,
        1,
        "FAILED: 0 of 1",
        lay=lay([begin("t"), judged("t", "FAIL", why="\ud800"), end(1)]),
    ),
    case(
        "a reason of 1 MB",
        RUN,
        1,
        "FAILED: 0 of 1",
        lay=lay([begin("t"), judged("t", "FAIL", why="x" * 1_000_000), end(1)]),
    ),
    case(
        "an empty behaviour",
        RUN,
        0,
        "HELD: 1 of 1",
        lay=lay(
            [begin("t"), judged("t", behaviour="", sentence="", deployment=deployment("")), end(0)]
        ),
    ),
]
CUT = [
    case("empty", RUN, 2, EARLY, "COULD NOT TELL: 0 of 0 held", lay=lay(b"")),
    case("a newline", RUN, 2, EARLY, lay=lay(b"\n")),
    case("empty, timeline", "report run --timeline", 2, EARLY, lay=lay(b"")),
    case(
        "before the first test",
        RUN,
        2,
        "before its first verdict",
        "COULD NOT TELL: 0 of 2 held",
        unsaid=["n/a"],
        lay=lay([not_told(), begin("a", "b")]),
    ),
    case(
        "before the first test, timeline",
        "report run --timeline",
        2,
        EARLY,
        lay=lay([begin("a", "b")]),
    ),
    case("in the middle of its only line", RUN, 2, EARLY, lay=lay(begin("a").encode()[:30])),
    case(
        "in the middle of a line",
        RUN,
        2,
        "before the run came to its end",
        lay=lay(text([begin("t0"), judged("t0")]) + end(0).encode()[:20]),
    ),
    unable(
        "in the middle of a character",
        RUN,
        "is not UTF-8 (line 3)",
        lay=lay(text([begin("t0"), judged("t0")]) + '{"at": "ä'.encode()[:-1]),
    ),
    case(
        "before its end, all held",
        RUN,
        2,
        EARLY,
        "COULD NOT TELL: 2 of 2 held",
        lay=lay(whole(["PASS"] * 2, 0)[:-1]),
    ),
    case(
        "before its end, with FAIL",
        RUN,
        1,
        EARLY,
        "FAILED: 1 of 2 held",
        lay=lay(whole(["PASS", "FAIL"], 1)[:-1]),
    ),
    case("after skipped ones", RUN, 2, EARLY, lay=lay(whole(["skipped"], 2)[:-1])),
    case(
        "zeros behind a crash",
        RUN,
        2,
        EARLY,
        lay=lay(text([begin("t0"), judged("t0")]) + bytes(4096)),
    ),
]
CONTRADICTIONS = [
    case(
        "an end that held, of nothing",
        RUN,
        2,
        "COULD NOT TELL: 0 of 0",
        lay=lay([end(0)]),
    ),
    case(
        "an end that held, of a plan",
        RUN,
        2,
        "COULD NOT TELL: 0 of 1",
        lay=lay([begin("t"), end(0)]),
    ),
    case(
        "an end that held, with a FAIL",
        RUN,
        1,
        "FAILED: 1 of 2",
        lay=lay(whole(["FAIL", "PASS"], 0)),
    ),
    case(
        "an end that held, with skipped ones",
        RUN,
        2,
        "COULD NOT TELL",
        lay=lay(whole(["skipped"], 0)),
    ),
]


@pytest.mark.parametrize("one", [*FOLDERS, *WHOLE, *CUT, *CONTRADICTIONS])
def test_inputs(world: World, one: Case) -> None:
    check(world, one)


def test_a_10_mb_line_that_is_an_event_is_read(world: World) -> None:
    lines = [begin("t"), event("notice", text="x" * 10_000_000), judged("t"), end(0)]
    check(world, Case(RUN, 0, ["HELD: 1 of 1"], lay=lay(lines)))
