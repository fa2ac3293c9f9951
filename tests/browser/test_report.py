"""report.html in a real browser: from a file, by keyboard, narrow and wide, light and dark,
printed, and read aloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Open

WIDTHS = (360, 1920)
UNFOLD = "document.querySelectorAll('details').forEach(one => one.open = true)"
CELL = "details.place.FAIL"
CUT = """() => {
  const wide = document.documentElement.clientWidth, found = [];
  for (const one of document.querySelectorAll('body *')) {
    if (one.closest('.scroll, pre, svg, .hidden, .skip') || !one.checkVisibility()) continue;
    const box = one.getBoundingClientRect();
    const hides = getComputedStyle(one).overflowX !== 'visible';
    const clipped = hides && one.scrollWidth > one.clientWidth;
    if (box.width && (box.right > wide + 1 || box.left < -1 || clipped)) {
      found.push(one.tagName + ' ' + one.className + ' ' + box.right);
    }
  }
  return found;
}"""
DEAD = """() => [...document.querySelectorAll('a[href^="#"]')]
  .map(one => decodeURIComponent(one.getAttribute('href').slice(1)))
  .filter(id => !document.getElementById(id))"""
STUCK = """() => [...document.querySelectorAll('details')].filter(one => {
  const summary = one.querySelector(':scope > summary');
  summary?.click();
  const folded = !one.open;
  summary?.click();
  return !(folded && one.open);
}).map(one => one.outerHTML.slice(0, 200))"""
TOO_NARROW = """() => [...document.querySelectorAll('.scroll')].filter(one =>
  one.scrollWidth > one.clientWidth && !(one.tabIndex === 0 && one.ariaLabel)).length"""


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def test_it_opens_from_a_file_with_the_answer_on_top(show: Open) -> None:
    page = show()
    heading = page.locator("h1")
    assert "FAILED: 12 of 25 held" in heading.inner_text()
    box = heading.bounding_box()
    assert box is not None and box["y"] < 200
    assert page.locator("dl.facts").first.inner_text().count("1.31.1") == 1


def test_every_link_leads_somewhere_that_can_be_seen(show: Open) -> None:
    page = show()
    assert page.evaluate(DEAD) == []
    links = page.locator(".matrix a.cell, .places a, nav a, .matrix th a")
    assert links.count() > 30
    for number in range(links.count()):
        link = links.nth(number)
        page.evaluate("document.querySelectorAll('.place').forEach(one => one.open = false)")
        link.click()
        target = page.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']")
        target.wait_for(state="visible")
        if "place" in (target.get_attribute("class") or ""):
            target.locator(".test").first.wait_for(state="visible")


def test_a_link_to_a_cell_opens_it_with_what_it_rests_on(show: Open) -> None:
    anchor = show().locator(CELL).first.get_attribute("id") or ""
    page = show(anchor)
    cell = page.locator(f"[id='{anchor}']")
    cell.locator(".verdict").first.wait_for(state="visible")
    assert cell.locator("svg[role=img]").first.is_visible()
    assert "call" in (cell.locator("svg[role=img]").first.get_attribute("aria-label") or "")
    assert "meshproof verify" in cell.locator(".again").first.inner_text()
    page.wait_for_function("document.activeElement.tagName === 'SUMMARY'")
    page.evaluate("scrollTo(0, 0)")
    page.locator(".matrix a.cell.FAIL").first.click()
    cell.locator(".verdict").first.wait_for(state="visible")
    assert page.evaluate("scrollY") > 0


def test_everything_folds_by_hand_and_by_keyboard(show: Open) -> None:
    page = show()
    page.evaluate(UNFOLD)
    assert page.evaluate(STUCK) == []
    for kind in ("suite", "place", "more", "proof", "topology"):
        summary = page.locator(f"details.{kind} > summary").first
        summary.focus()
        for is_open in (False, True):
            page.keyboard.press("Enter")
            assert summary.evaluate("one => one.parentElement.open") is is_open
    page.locator("#fold").click()
    assert page.locator("details.suite[open]").count() == 0
    page.locator("#unfold").click()
    assert page.locator("details.suite:not([open])").count() == 0


def test_the_first_stop_of_the_keyboard_leads_to_the_matrix(show: Open) -> None:
    page = show()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#matrix"
    page.keyboard.press("/")
    assert focused(page) == "search"


def test_words_and_outcomes_narrow_the_matrix(show: Open) -> None:
    page = show()
    rows, search = page.locator("tr[data-words]"), page.locator("#search")
    whole = rows.count()

    def left() -> int:
        return int(rows.evaluate_all("all => all.filter(one => one.checkVisibility()).length"))

    assert left() == whole > 5
    search.fill("header decides")
    assert left() == 1 and page.locator("#found").inner_text() == f"1 of {whole} behaviours"
    search.fill("two-primaries")
    assert left() == whole - 1
    search.fill("no such words")
    assert left() == 0 and page.locator("details.suite:visible").count() == 0
    search.press("Escape")
    assert left() == whole and page.locator("#found").inner_text() == ""
    failed = page.locator("button[data-outcome=FAIL]")
    failed.click()
    assert failed.get_attribute("aria-pressed") == "true"
    assert left() == page.locator("tr[data-outcomes~=FAIL]").count() < whole
    failed.click()
    assert left() == whole


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut(show: Open, width: int) -> None:
    page = show(width=width)
    for unfolded in (False, True):
        if unfolded:
            page.evaluate(UNFOLD)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert (wide, page.evaluate(CUT)) == (width, [])
        assert page.evaluate(TOO_NARROW) == 0


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1920, "light")])
def test_it_can_be_read_by_everybody(show: Open, width: int, scheme: str) -> None:
    page = show(width=width, color_scheme=scheme)
    page.evaluate(UNFOLD)
    found = Axe().run(page).response["violations"]
    told = [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
    assert told == []


def test_light_and_dark_are_chosen_by_the_system_and_by_hand(show: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light, dark = (show(color_scheme=scheme) for scheme in ("light", "dark"))
    white, black = light.evaluate(paper), dark.evaluate(paper)
    assert white == "rgb(255, 255, 255)" != black
    light.locator("#theme").click()
    dark.locator("#theme").click()
    assert (light.evaluate(paper), dark.evaluate(paper)) == (black, white)
    light.locator("#theme").click()
    assert light.evaluate(paper) == white


def test_it_prints_what_did_not_hold_in_full(show: Open, tmp_path: Path) -> None:
    page = show(color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(f"{CELL} .verdict").first.is_visible()
    assert page.locator("nav").is_hidden()
    assert page.locator("details.place.PASS .verdict").first.is_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(f"{CELL}[open]").count() == 0
    assert page.pdf(path=tmp_path / "report.pdf", format="A4")[:4] == b"%PDF"


def test_without_its_script_it_says_the_same(show: Open) -> None:
    page = show(java_script_enabled=False)
    assert page.locator("h1").is_visible() and page.locator("a.cell").first.is_visible()
    assert page.locator("#tools").is_hidden() and page.locator("#theme").is_hidden()
