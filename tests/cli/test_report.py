"""What `report` shows: the run's own exit code, a last line, and no line that is cut or folded by
the terminal."""

from __future__ import annotations

import pytest

from meshproof.files import topology_names
from tests.cli.harness import Ended, run
from tests.cli.records import begin, deployment, end, event, judged, lay, not_told, whole
from tests.cli.world import World

WIDTHS = (40, 80, 200)
LINES = {
    "held": (["PASS"] * 3, 0, "HELD: 3 of 3; 0 failed, 0 could not tell, 0 not run"),
    "failed": (
        ["FAIL"] * 4 + ["PASS"],
        1,
        "FAILED: 1 of 5 held; 4 failed, 0 could not tell, 0 not run",
    ),
    "unclear": (
        ["INCONCLUSIVE", "PASS"],
        2,
        "COULD NOT TELL: 1 of 2 held; 0 failed, 1 could not tell, 0 not run",
    ),
    "skipped": (
        ["skipped"] * 2,
        2,
        "COULD NOT TELL: 0 of 2 held; 0 failed, 0 could not tell, 2 not run",
    ),
    "all of them": (
        ["PASS", "FAIL", "INCONCLUSIVE", "skipped"],
        1,
        "FAILED: 1 of 4 held; 1 failed, 1 could not tell, 1 not run",
    ),
}
ID = "suites/mtls/test_mtls.py::test_strict_mtls_refuses_plain_text[{0}-{1}-east-to-west]"


def wide_record() -> list[str]:
    """A record of many behaviours on all topologies, as a run of everything leaves it."""
    lines = [begin()]
    for number in range(12):
        sentence = f"behaviour number {number} is told in words as long as people need"
        for name in topology_names():
            outcome = ("PASS", "PASS", "FAIL", "INCONCLUSIVE", "skipped")[number % 5]
            lines.append(
                judged(
                    ID.format(number, name),
                    outcome,
                    behaviour=f"long/number-{number}",
                    sentence=sentence,
                    deployment=deployment(name),
                )
            )
    lines.append(not_told(sentence="never judged", deployment=topology_names()[0]))
    for step in ("create cluster east", "install istiod in east", "deploy sleep and helloworld"):
        lines += [
            event("step-begin", step=step),
            event("step-end", step=step, seconds=9.9, outcome="ok"),
        ]
    return [*lines, judged(ID.format(99, "last")), end(1)]


def shown(world: World, options: str = "", width: int = 80) -> Ended:
    return run(world, f"report run {options}", {"COLUMNS": str(width)})


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LINES)
def test_the_exit_code_and_the_last_line(world: World, name: str, width: int) -> None:
    outcomes, code, line = LINES[name]
    lay(whole(outcomes, code))(world)
    ended = shown(world, width=width)
    assert (ended.code, ended.out.splitlines()[-1]) == (code, line)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("options", ["", "--timeline"])
def test_no_line_of_a_table_is_wider_than_the_terminal(
    world: World, width: int, options: str
) -> None:
    lay(wide_record())(world)
    lines = shown(world, options, width).out.splitlines()
    tables = [line for line in lines if line[:1] in "┏┃┡│├└"]
    assert tables
    assert max(map(len, tables)) <= width
    assert "…" not in "".join(tables)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("options", ["", "--timeline"])
def test_every_topology_is_shown_at_every_width(world: World, width: int, options: str) -> None:
    lay(wide_record())(world)
    out = shown(world, options, width).out
    letters = "".join(letter for letter in out if letter.isalpha())
    for name in topology_names():
        assert name.replace("-", "") in letters or all(word in out for word in name.split("-"))


@pytest.mark.parametrize("width", WIDTHS)
def test_what_the_marks_mean_is_told_below(world: World, width: int) -> None:
    lay([begin("t0"), not_told(), judged("t0"), end(0)])(world)
    out = shown(world, width=width).out
    assert "n/a ¹" in out
    assert "n/a ¹ it has one root: primary-remote-flat" in " ".join(out.split())


@pytest.mark.parametrize("early", [0, 1, 2])
def test_a_record_that_ends_early_says_so_before_the_last_line(world: World, early: int) -> None:
    lay(whole(["PASS"] * 2, 0)[: 1 + early])(world)
    *_, before, last = shown(world).out.splitlines()
    assert before.startswith("The record ends early, before")
    assert last.startswith(f"COULD NOT TELL: {early} of 2 held")


def test_a_format_is_written_where_it_is_asked_for(world: World) -> None:
    lay(whole(["PASS", "FAIL"], 1))(world)
    for option, folder in (("", "run"), ("--out made/here", "made/here")):
        ended = run(world, f"report run --format html {option}", {})
        page = world.work / folder / "report.html"
        assert ended.code == 1
        assert ended.out.splitlines() == [
            str(page),
            "FAILED: 1 of 2 held; 1 failed, 0 could not tell, 0 not run",
        ]
        assert "FAILED: 1 of 2 held" in page.read_text()


def test_several_runs_are_one_report(world: World) -> None:
    lay(whole(["PASS"], 0))(world)
    lay([begin("u"), judged("u", "FAIL"), end(1)], "other")(world)
    ended = run(world, "report run other --format=html --out=both", {})
    assert (ended.code, ended.out.splitlines()[-1].partition(";")[0]) == (1, "FAILED: 1 of 2 held")
    assert (world.work / "both" / "report.html").exists()
    assert run(world, "report run other", {}).code == 1
