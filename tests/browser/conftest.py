"""Chromium of the distribution, and reports that are opened in it from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from meshproof.report.html import render
from meshproof.report.record import merged
from tests.browser.program import launched
from tests.report.recorded import small_run

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = launched(playwright)
        yield made
        made.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run of every outcome, with hostile words in it."""
    folder = tmp_path_factory.mktemp("report") / "run"
    return render(merged([small_run(folder)]), folder)[0]


@pytest.fixture
def show(browser: Browser, report: Path) -> Iterator[Open]:
    """Opens the report; a page that complains, or asks for anything else, fails the test."""
    pages: list[Page] = []
    wrong: list[str] = []

    def shown(anchor: str = "", width: int = 1280, path: Path = report, **options: Any) -> Page:
        url = path.as_uri()
        page = browser.new_page(viewport={"width": width, "height": 900}, **options)
        pages.append(page)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text))
        page.on("request", lambda asked: wrong.extend({asked.url} - {url}))
        page.goto(f"{url}#{anchor}" if anchor else url)
        return page

    yield shown
    hurt = [page.evaluate("window.hurt") for page in pages]
    for page in pages:
        page.close()
    assert wrong == []
    assert hurt == [None] * len(pages)
