"""Renders a run's record; never imported by what it describes."""

from meshproof.report.declared import Declared, LeftOut, left_out, left_out_in
from meshproof.report.found import found_in
from meshproof.report.outcomes import Issue, Judged, judged, planned_in
from meshproof.report.setting import setting
from meshproof.report.summary import summary
from meshproof.report.tally import Ending, Tally, ending

__all__ = [
    "Declared",
    "Ending",
    "Issue",
    "Judged",
    "LeftOut",
    "Tally",
    "ending",
    "found_in",
    "judged",
    "left_out",
    "left_out_in",
    "planned_in",
    "setting",
    "summary",
]
