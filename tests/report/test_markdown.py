"""Markdown and annotations for GitHub: bounded, failures first, and whatever is told is text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from meshproof.report.annotations import commands
from meshproof.report.formats import rendered
from meshproof.report.markdown import MOST, markdown
from meshproof.report.record import Record
from tests.report import runs as made
from tests.report.runs import EVERY, HEADER, HOSTILE, LINK, LOST, SPLIT, a_test, known

LONG = "and so on " * 1000


def every_kind(folder: Path) -> Record:
    return made.record(
        folder,
        a_test(),
        a_test(EVERY, SPLIT, "INCONCLUSIVE"),
        known(on=SPLIT),
        a_test(EVERY, outcome="FAIL", why="FAIL: expected v2; observed v1"),
        known("names/resolve") | {"outcome": "PASS"},
        a_test("paths/skips", outcome="skipped", why="no time"),
        lacking=["suites/x/test_x.py::test_y[z]"],
    )


def test_what_did_not_hold_comes_first(tmp_path: Path) -> None:
    text = markdown(every_kind(tmp_path))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert titles[0].startswith("❌ FAILED: 2 of 7 held, 1 failed as known; 1 failed, 1 could not")
    assert titles[1:] == [
        "❌ What did not hold",
        "❓ What could not be told",
        "⏭️ What was skipped",
        "❓ What was not run",
        "⚠️ Known issues that showed",
        "🎉 Known issues that did not show, though they should have",
        "Behaviours",
    ]
    assert "```text\nFAIL: expected v2; observed v1\n```" in text
    assert f'<a href="{LINK}">istio/istio&#35;32819</a>' in text
    assert "Istio 1.31.1 with plain Envoy 1.40.0" in text


def test_one_cause_is_told_once(tmp_path: Path) -> None:
    lost = [a_test(EVERY, SPLIT, "INCONCLUSIVE", of=f"-{n}", cause=LOST) for n in range(60)]
    record = made.record(tmp_path, *lost)
    assert markdown(record).count(LOST) == commands(record).count(LOST) == 1
    assert "**60 tests could not be judged**" in markdown(record)


def test_it_is_as_long_as_github_takes_and_says_what_is_left_out(tmp_path: Path) -> None:
    bad = [a_test(f"routing/it-{n}", outcome="FAIL", why=f"{n} {LONG}") for n in range(400)]
    (path,) = rendered(made.record(tmp_path, *bad), "markdown", tmp_path / "made")
    data = path.read_bytes()
    assert MOST * 0.9 < len(data) <= MOST
    assert data.decode().rstrip().endswith("more sections, which would be too long here.*")


def test_hostile_text_is_no_markup(tmp_path: Path) -> None:
    issue = [{"link": "javascript:alert(1)", "seen": HOSTILE, "shows": True}]
    tests = [
        a_test(outcome=outcome, why=HOSTILE, of=HOSTILE[:200], known_issues=issue)
        | {"sentence": HOSTILE, "behaviour": f"a/b{outcome}{HOSTILE}"}
        for outcome in ("FAIL", "INCONCLUSIVE", "KNOWN", "skipped", "PASS")
    ]
    text = markdown(made.record(tmp_path, *tests))
    # Outside of code nobody is mentioned, and no tag or link is there but our own.
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "@everyone" not in outside
    assert set(re.findall(r"</?(\w+)", outside)) <= {"details", "summary", "code", "a"}
    html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert "<script>" not in html and 'href="javascript' not in html and "<img" not in html


def test_a_table_has_a_row_for_each_behaviour(tmp_path: Path) -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(markdown(every_kind(tmp_path)))
    assert html.count("<tr>") >= 2 + 2 + 2
    assert f"<td><code>{HEADER}</code></td>\n<td>✅ 1</td>\n<td>⚠️ 1</td>" in html


def test_annotations_are_commands_with_errors_first(tmp_path: Path) -> None:
    lines = commands(every_kind(tmp_path)).splitlines()
    assert [line.split()[0] for line in lines] == [
        "::error",
        "::warning",
        "::warning",
        "::warning",
        "::notice",
        "::notice",
    ]
    assert lines[0].startswith(
        "::error file=suites/distribution/test_it.py,title=distribution/every-version-answers on "
    )
    assert lines[0].endswith("%0AFAIL: expected v2; observed v1")


def test_annotations_are_escaped_as_github_wants_it(tmp_path: Path) -> None:
    hostile = a_test("a/b,c::d%", outcome="FAIL", why="100%\r\n::error::x, y: z")
    (line,) = commands(made.record(tmp_path, hostile)).splitlines()
    assert "title=a/b%2Cc%3A%3Ad%25 on " in line
    assert line.endswith("100%25\\r%0A::error::x, y: z")
    long = made.record(tmp_path / "b", a_test(outcome="FAIL", why=HOSTILE))
    (only,) = commands(long).splitlines()
    assert only.startswith("::error ") and len(only) < 20_000


def test_nothing_is_annotated_where_all_held(tmp_path: Path) -> None:
    assert commands(made.record(tmp_path, a_test(), code=0)) == ""


@pytest.mark.parametrize("name", ["markdown", "annotations"])
def test_a_run_that_was_killed_at_once(tmp_path: Path, name: str) -> None:
    rendered(made.record(tmp_path, code=None), name, tmp_path / "made")
