"""A site that loads anything from elsewhere is noticed; one that only links there is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from website.outside import loaded_from_outside


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<script src="//cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<link rel="shortcut icon" href="https://cdn.example/i.png">',
        '<link href="https://cdn.example" rel="preconnect">',
        '<img src="http://img.example/badge.svg">',
        '<iframe src="https://video.example"></iframe>',
        '<p style="background: url(https://img.example/a.png)">',
        "<style>@import 'https://fonts.example/css';</style>",
    ],
)
def test_what_a_page_loads_from_elsewhere_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.html").write_text(f"<html>{text}</html>")
    (found,) = loaded_from_outside(tmp_path)
    assert found.startswith("page.html: ") and ".example" in found


def test_a_style_sheet_is_looked_at_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url('//fonts.example/f.woff2'); }")
    assert loaded_from_outside(tmp_path) == ["a.css: //fonts.example/f.woff2"]


def test_links_and_what_is_the_sites_own_are_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<a href="https://istio.io">Istio</a><link rel="canonical" href="https://x.example/">'
        '<script src="assets/x.js"></script><img src="data:image/png;base64,AA">'
        "<style>p { background: url(assets/a.png) }</style><code>url(https://x.example)</code>"
    )
    assert loaded_from_outside(tmp_path) == []
