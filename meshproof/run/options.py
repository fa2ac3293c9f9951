"""Options by name, as the command line hands them to pytest: what they ask for, and as words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshproof.run.selection import Asked

Options = Mapping[str, Any]
"""Values by name, as in ``topology_file``: one, several, or whether a switch is given; None, False
and nothing at all stand for an option that is not."""


def asked_by(options: Options) -> Asked:
    """What the options ask of the matrix."""
    return Asked(
        names=tuple(options["topology"] or ()),
        files=tuple(options["topology_file"] or ()),
        istio=tuple(options["istio"] or ()),
        mtls=tuple(options["mtls"] or ()),
        variants=tuple(options["variant"] or ()),
        revision=options["revision"],
        full=options["full"],
        checkout=options["checkout"],
        source=options["artifacts"],
    )


def words(options: Options) -> list[str]:
    """The options as words of a command line."""
    found: list[str] = []
    for key, value in options.items():
        name = f"--{key.replace('_', '-')}"
        if value is True:
            found.append(name)
        elif value is not None and value is not False:
            several = value if isinstance(value, list | tuple) else [value]
            found += [f"{name}={one}" for one in several]
    return found
