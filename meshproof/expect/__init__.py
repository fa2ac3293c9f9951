"""Judges what was seen: verdicts with what was expected, what was observed, and the evidence."""

from meshproof.expect.calls import (
    agreed_version,
    answered_from_home,
    believable,
    none_served_by,
    refused_with,
    served_by_exactly,
    succeeded,
    went_through,
    who_answered,
)
from meshproof.expect.reach import answered_by, host_refused, kept_out, noticed, reached, silent
from meshproof.expect.share import calls_needed, calls_to_meet, part_of, share_of, share_within
from meshproof.expect.verdict import Outcome, Verdict, all_of

__all__ = [
    "Outcome",
    "Verdict",
    "agreed_version",
    "all_of",
    "answered_by",
    "answered_from_home",
    "believable",
    "calls_needed",
    "calls_to_meet",
    "host_refused",
    "kept_out",
    "none_served_by",
    "noticed",
    "part_of",
    "reached",
    "refused_with",
    "served_by_exactly",
    "share_of",
    "share_within",
    "silent",
    "succeeded",
    "went_through",
    "who_answered",
]
