"""Makes the fixtures of the folder ``fixtures/`` known to pytest, wherever they are installed.

The folder is no package of its own, so that it never stands before another of that name: here it
becomes the package ``meshproof_fixtures``.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest

from meshproof.resources import resource

_PACKAGE = "meshproof_fixtures"


def register_fixtures(config: pytest.Config) -> None:
    """Import each file of the folder and register it as a plugin."""
    folder = resource("fixtures")
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE, "What the author of a suite uses.")
        package.__path__ = [str(folder)]
        sys.modules[_PACKAGE] = package
    for path in sorted(folder.glob("*.py")):
        name = f"{_PACKAGE}.{path.stem}"
        if name not in sys.modules:
            pytest.register_assert_rewrite(name)
        if not config.pluginmanager.hasplugin(name):
            config.pluginmanager.register(importlib.import_module(name), name)
