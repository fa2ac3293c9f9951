"""Examines this machine: gathers the facts and judges them."""

from __future__ import annotations

from meshproof.doctor.findings import Finding
from meshproof.doctor.folders import judge_folders
from meshproof.doctor.gather import gather
from meshproof.doctor.manual import with_page
from meshproof.doctor.rules import judge
from meshproof.process import Shell


def examine(shell: Shell, *, engine: str | None = None, source: str | None = None) -> list[Finding]:
    """What this machine offers a lab, and for each failure what to do. Changes nothing.

    ``engine``: "docker", "podman" or None for the first that answers. ``source``: "published"
    when nothing is built on this machine; anything else asks for what builds need. Raises
    UsageError for an engine that does not exist.
    """
    findings = [*judge(gather(shell, engine, source)), *judge_folders()]
    return [with_page(one) for one in findings]
