"""Chromium of the distribution, launched."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def launched(playwright: Playwright) -> Browser:
    """A browser. Raises AssertionError where the machine has none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    assert program is not None, "there is no Chromium: sh tests/browser/install.sh installs it"
    # Chromium's own sandbox refuses to be root's.
    switches = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=program, args=switches)
