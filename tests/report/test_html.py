"""report.html as text: what it says of a record, that nothing in a record becomes more than words,
and that it stays one file of a bounded size."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from meshproof.events import Event, read
from meshproof.report.html import NAME, render
from meshproof.report.record import Run, merged
from tests.cli.records import begin, end, judged
from tests.report.recorded import HOSTILE, large_run, small_run

MOST = 3_000_000


class Parsed(HTMLParser):
    """A page's elements, with the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = tag

    def handle_data(self, data: str) -> None:
        if self.open in ("script", "style"):
            self.texts[self.open] = self.texts.get(self.open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self.open = ""

    def every(self, name: str) -> list[str]:
        """The values of an attribute."""
        return [value for _, found in self.elements if (value := found.get(name)) is not None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of every outcome, with its report."""
    made = tmp_path_factory.mktemp("html") / "run"
    render(merged([small_run(made)]), made)
    return made


@pytest.fixture(scope="module")
def parsed(folder: Path) -> Parsed:
    return Parsed((folder / NAME).read_text(encoding="utf-8"))


def page(tmp_path: Path, *runs: Run) -> str:
    return render(merged(runs), tmp_path)[0].read_text(encoding="utf-8")


def run_of(tmp_path: Path, lines: Sequence[str], name: str = "run") -> Run:
    """A run whose record has these lines."""
    folder = tmp_path / name
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return Run(folder, read(folder / "events.jsonl"))


def test_what_a_record_says_becomes_words_and_nothing_else(folder: Path, parsed: Parsed) -> None:
    tags = Counter(tag for tag, _ in parsed.elements)
    assert tags["script"] == tags["style"] == 1 and not tags["img"]
    assert "hurt" not in parsed.texts["script"]
    names = {name for _, found in parsed.elements for name in found}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src")]
    text = (folder / NAME).read_text(encoding="utf-8")
    assert "&lt;/script&gt;&lt;script&gt;window.hurt=1" in text and "{{ 7*191 }}" in text
    assert "\\x1b[31m\\u202e\\x00\\ud800" in text
    assert not set(text) & {"\x1b", "\u202e", "\x00"}


def test_a_test_of_one_machine_is_headed_by_its_name(tmp_path: Path) -> None:
    lines = [begin(tests=["a"]), judged("a", machine="the-shop"), end(code=0)]
    render(merged([run_of(tmp_path, lines)]), tmp_path)
    assert "<b>the-shop</b>" in (tmp_path / NAME).read_text(encoding="utf-8")


def test_no_other_script_could_run_nor_anything_be_fetched(parsed: Parsed) -> None:
    (policy,) = (one for one in parsed.every("content") if "default-src" in one)
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for kind in ("script", "style"):
        digest = hashlib.sha256(parsed.texts[kind].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    away = [one for one in parsed.every("href") if not one.startswith("#")]
    assert {one.partition("/issues")[0] for one in away} == {"https://github.com/istio/istio"}


def test_every_link_inside_has_one_end(parsed: Parsed) -> None:
    ids = Counter(parsed.every("id"))
    assert ids.most_common(1)[0][1] == 1
    inside = {one[1:] for one in parsed.every("href") if one.startswith("#")}
    assert len(inside) > 30 and inside <= ids.keys()


@pytest.mark.parametrize(
    ("outcome", "code", "word"),
    [("PASS", 0, "HELD"), ("FAIL", 1, "FAILED"), ("INCONCLUSIVE", 2, "COULD NOT TELL")],
)
def test_the_answer_is_on_top(tmp_path: Path, outcome: str, code: int, word: str) -> None:
    text = page(tmp_path, run_of(tmp_path, [begin("t"), judged("t", outcome), end(code)]))
    heading = text[text.index("<h1") : text.index("</h1>")]
    assert word in heading and text.index("</h1>") < text.index("<h2")
    assert f'<section class="answer {outcome}"' in text
    assert ('id="troubles"' in text) == (outcome != "PASS")


def test_a_known_issue_is_no_failure_and_has_its_link(folder: Path) -> None:
    text = (folder / NAME).read_text(encoding="utf-8")
    assert text.count("istio/istio#32819</a>") >= 2
    assert re.search(r'class="cell KNOWN"', text)
    troubles = text[text.index('id="troubles"') : text.index('id="known"')]
    assert "KNOWN" not in troubles


def test_a_link_that_is_none_of_the_web_cannot_be_followed(tmp_path: Path) -> None:
    issue = {"link": "javascript:alert(1)", "seen": "x", "shows": True}
    text = page(
        tmp_path, run_of(tmp_path, [begin("t"), judged("t", "KNOWN", known_issues=[issue])])
    )
    assert "javascript:alert(1)" in text and 'href="javascript' not in text


def test_a_run_that_was_killed_is_shown_as_far_as_it_got(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run", killed=True)
    text = page(tmp_path, run)
    assert "The record ends early" in text
    assert "suites/never/test_run.py::test_it[flat-east]" in text
    for events in (run.events[:1], run.events[: len(run.events) // 2], []):
        assert "COULD NOT TELL" in page(tmp_path, Run(run.folder, events)) or events


def test_a_record_of_before_has_a_page_without_pictures(tmp_path: Path) -> None:
    lines = [begin("t"), judged("t"), end(0)]
    data = {"caller": "sample/sleep-1", "cluster": "east", "url": "x", "calls": 1, "answers": {}}
    data |= {"versions": {}, "upstreams": {}, "seconds": 1.0, "test": "t"}
    lines.insert(1, json.dumps({"at": 1, "kind": "calls", **data}))
    text = page(tmp_path, run_of(tmp_path, lines))
    assert "<use" not in text and "Topologies, and" not in text
    assert "the record does not say" in text.lower()


def test_shards_are_one_page(tmp_path: Path) -> None:
    one = run_of(tmp_path, [begin("t"), judged("t"), end(0)], "one")
    other = run_of(tmp_path, [begin("u"), judged("u", "FAIL"), end(1)], "two")
    text = page(tmp_path, one, other)
    assert "FAILED: 1 of 2 held" in text and "2 tests" in text and "2 records" in text


def test_what_a_test_rests_on_is_told(folder: Path) -> None:
    text = (folder / NAME).read_text(encoding="utf-8")
    for told in (
        "12 calls from sleep in east by west&#39;s gateway, 15443: v2 in west",
        "v2 answered 20.0% of 900 calls from east; from 10.0% to 30.0% is right",
        "the true share is from 14.6% to 26.3%",
        "2000 calls in 20 s, 200 lost; east lost 100, its slowest answer took 10 ms",
        "5.0 to 6.0 s",
        "upstream_host=172.30.2.200:15443",
        "tls 10.10.0.7 → 172.30.2.200:15443",
        "sabotage/a-missing-route-is-noticed",
        "istiod leaves out &lt;remote&gt; endpoints.",
        "Nothing has seen it fail yet",
        "istio.metadata_exchange",
        "istiod in east reads west by a remote secret",
        "calls from east answered in west, by the gateway of west",
        "the last line",
        "it has one network",
        "meshproof verify",
    ):
        assert told in text, told


def test_only_files_of_the_runs_own_are_evidence(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "00-index.md").write_text("the secret")
    lines = [begin("t", "u", "v")]
    for test, named in (
        ("t", "../secret/00-index.md"),
        ("u", "evidence/00-index.md"),
        ("v", "e/x"),
    ):
        lines.append(judged(test, "FAIL", evidence=[named]))
    run = run_of(tmp_path, [*lines, judged("w", "FAIL", evidence=["/etc/passwd", "\0", "."])])
    (run.folder / "evidence").symlink_to(tmp_path / "secret")
    (run.folder / "e").mkdir()
    (run.folder / "e" / "x").symlink_to(tmp_path / "secret" / "00-index.md")
    (run.folder / "e" / "y").write_text("what is its own")
    text = page(tmp_path, run)
    assert "the secret" not in text and "root:x:" not in text
    assert "what is its own" not in text  # the page that is named leads out of the folder


def test_much_evidence_is_cut_and_named(tmp_path: Path) -> None:
    tests = [f"t{number}" for number in range(60)]
    lines = [judged(name, "FAIL", evidence=[f"e/{name}/00-index.md"]) for name in tests]
    run = run_of(tmp_path, [begin(*tests), *lines])
    for name in tests:
        folder = run.folder / "e" / name
        folder.mkdir(parents=True)
        for number in range(30):
            (folder / f"{number:02}-index.md").write_text(f"{name} says <so> " * 3000)
    text = page(tmp_path, run)
    assert len(text) < MOST and "the first part of" in text
    assert "e/t59/29-index.md" in text


def test_a_thousand_tests_are_a_page_that_can_be_sent_around(tmp_path: Path) -> None:
    run = large_run(tmp_path / "run")
    ends = [event for event in run.events if event.kind == "test"]
    assert len(ends) == 1000
    assert len(page(tmp_path, run).encode()) < MOST


@pytest.mark.parametrize(
    "field", ["behaviour", "sentence", "suite", "feature", "why", "cause", "test"]
)
def test_any_field_may_be_hostile(tmp_path: Path, field: str) -> None:
    event = json.loads(judged("t", "INCONCLUSIVE"))
    event[field] = HOSTILE
    made = Event(event.pop("at"), event.pop("kind"), event)
    run = run_of(tmp_path, [begin("t")])
    text = page(tmp_path, Run(run.folder, [*run.events, made]))
    tags = Counter(tag for tag, _ in Parsed(text).elements)
    assert tags["script"] == 1 and not tags["img"]
