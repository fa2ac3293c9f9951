"""The page, from its template: everything that it says of the record is escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from meshproof.report.record import Record


def page(record: Record) -> str:
    """The page's text."""
    environment = Environment(
        loader=PackageLoader("meshproof.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(record=record)
