"""Where docs/troubleshooting.md, which travels with meshproof, tells more of a finding."""

from __future__ import annotations

import re
from dataclasses import replace

from meshproof.doctor.findings import Finding, Level
from meshproof.resources import resource

_PAGE = "troubleshooting.md"


def anchor(name: str) -> str:
    """The heading's anchor for a finding's name; what stands in brackets in it changes nothing."""
    return "doctor-" + re.sub(r"\W+", "-", name.partition(" (")[0].lower()).strip("-")


def with_page(finding: Finding) -> Finding:
    """A finding whose remedy also says where more is told; one that is well as it is."""
    if finding.level is Level.OK:
        return finding
    more = f"more: {resource('docs') / _PAGE}#{anchor(finding.name)}"
    return replace(finding, remedy=f"{finding.remedy}\n{more}" if finding.remedy else more)
