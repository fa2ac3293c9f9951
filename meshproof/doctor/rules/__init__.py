"""The rules: facts in, findings out; nothing here touches the machine."""

from __future__ import annotations

from meshproof.doctor.facts import Facts
from meshproof.doctor.findings import Finding
from meshproof.doctor.rules.engine import judge_engine
from meshproof.doctor.rules.host import judge_host
from meshproof.doctor.rules.kernel import judge_kernel
from meshproof.doctor.rules.room import judge_room
from meshproof.doctor.rules.tools import judge_tools

__all__ = ["judge"]


def judge(facts: Facts) -> list[Finding]:
    """All findings, in the order in which they are best mended: packages come first."""
    return [
        *judge_tools(facts),
        *judge_engine(facts),
        *judge_host(facts),
        *judge_room(facts),
        *judge_kernel(facts),
    ]
