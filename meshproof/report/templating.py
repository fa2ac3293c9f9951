"""The templates of pages: whatever is put into one is escaped and printable, and a name that nobody
gave is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from meshproof.telling import shown

_LONG = 400
"""Characters: what is shorter and prints stays as it is, which is quicker to see than to try."""


def environment(*packages: str, **filters: Callable[..., Any]) -> Environment:
    """The templates of these packages, each in its folder ``templates``; of two with one name that
    of the package which is named first. ``filters``: what they call so, beside Jinja's own."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= filters
    return made


def asset(templates: Environment, name: str) -> str:
    """A file that lies beside templates, such as a style, as it is."""
    assert templates.loader is not None
    return templates.loader.get_source(templates, name)[0]


def _printable(value: object) -> object:
    """What is put into a page, without characters that do not print."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value if value.isprintable() and len(value) < _LONG else shown(value)
    return value
