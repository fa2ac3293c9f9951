"""How long Chromium takes to open a report of so many tests: prints, and judges nothing.

python -m tests.browser.opening [TESTS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from meshproof.report.html import render
from meshproof.report.record import merged
from tests.browser.program import launched
from tests.report.recorded import large_run

_ROUNDS = 5
# Until what is shown at first was drawn, after all scripts have run.
_OPENED = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(
  () => done(performance.now()))))"""


def opened(browser: Browser, report: Path) -> float:
    """Seconds from asking for the page until it is drawn, in a window of its own."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(report.as_uri())
    taken = float(page.evaluate(_OPENED)) / 1000
    page.close()
    return taken


def main(tests: int) -> None:
    """Print the seconds of each round, their median, and the page's size."""
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = Path(made) / "run"
        (report,) = render(merged([large_run(folder, tests)]), folder)
        browser = launched(playwright)
        taken = [opened(browser, report) for _ in range(_ROUNDS)]
        browser.close()
        rounds = ", ".join(f"{one:.2f}" for one in taken)
        size = report.stat().st_size / 1e6
        sys.stdout.write(f"{tests} tests, {size:.2f} MB: {median(taken):.2f} s ({rounds})\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
