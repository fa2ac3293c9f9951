"""Renders a run's record; never imported by what it describes."""

from meshproof.report.declared import Declared, LeftOut, left_out, left_out_in
from meshproof.report.summary import Judged, judged, summary

__all__ = ["Declared", "Judged", "LeftOut", "judged", "left_out", "left_out_in", "summary"]
