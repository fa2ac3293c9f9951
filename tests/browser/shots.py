"""Screenshots of a report, for the docs and to be looked at: python -m tests.browser.shots REPORT
FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.program import launched

_PARTS = {
    "answer": None,
    "matrix": "#matrix",
    "cell": "details.place.FAIL, details.place.KNOWN, details.place",
    "topologies": "#topologies",
    "time": "#time",
}
_SIZES = ((1920, 1080), (360, 780))


def shots(report: Path, folder: Path) -> list[Path]:
    """Take them: each part of the page, wide and narrow, light and dark. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for width, height in _SIZES:
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": width, "height": height},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page.goto(report.absolute().as_uri())
                for part, where in _PARTS.items():
                    path = folder / f"report-{part}-{width}-{scheme}.png"
                    if _go(page, where):
                        page.screenshot(path=path)
                        made.append(path)
                page.close()
        browser.close()
    return made


def _go(page: Page, where: str | None) -> bool:
    """Go to a part of the page, unfolded; whether there is one."""
    if where is None:
        return True
    one = page.locator(where).first
    if one.count() == 0:
        return False
    one.evaluate("one => { if ('open' in one) one.open = true; one.scrollIntoView(); }")
    return True


if __name__ == "__main__":
    for path in shots(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{path}\n")
