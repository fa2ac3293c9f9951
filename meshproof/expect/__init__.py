"""Judges what was seen: verdicts with what was expected, what was observed, and the evidence."""

from meshproof.expect.reach import answered_by, host_refused, kept_out, noticed, reached, silent
from meshproof.expect.verdict import Outcome, Verdict, all_of

__all__ = [
    "Outcome",
    "Verdict",
    "all_of",
    "answered_by",
    "host_refused",
    "kept_out",
    "noticed",
    "reached",
    "silent",
]
