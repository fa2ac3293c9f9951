"""Renders a run's record; never imported by what it describes."""

from meshproof.report.summary import Judged, judged, summary

__all__ = ["Judged", "judged", "summary"]
