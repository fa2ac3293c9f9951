"""A stream of calls over nothing."""

from __future__ import annotations

from contextlib import ExitStack

from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import Sample
from suites.rest.claims import NOTHING

TEN_MINUTES = 600.0


def over_nothing(sample: Sample, seconds: float) -> Found:
    """What comes of calls in so many seconds in which nothing is done."""

    def doing(stream: Stream, _: ExitStack) -> None:
        with stream.mark(NOTHING):
            stream.flow_for(seconds)

    return over(sample, doing)
