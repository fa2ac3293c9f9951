"""Matches: each kind takes the requests that it names, from every cluster, and no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.matches.claims import taken_and_left
from suites.matches.kinds import HEADERS, METHOD, PORT_ASKED, QUERY, URIS

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("matches/uri", feature="routing")
def test_a_route_takes_the_paths_that_it_names(matched: Sample, judge: Judge) -> None:
    """Routes by exact path, prefix and regular expression take such paths, and no others."""
    judge(taken_and_left(matched, URIS))


@behaviour("matches/method", feature="routing")
def test_a_route_takes_the_method_that_it_names(matched: Sample, judge: Judge) -> None:
    """A route for a method takes requests with it, and none with another."""
    judge(taken_and_left(matched, [METHOD]))


@behaviour("matches/query", feature="routing")
def test_a_route_takes_the_query_that_it_names(matched: Sample, judge: Judge) -> None:
    """A route for a value of a query parameter takes requests with it, and no others."""
    judge(taken_and_left(matched, [QUERY]))


@behaviour("matches/port", feature="routing")
def test_a_route_takes_the_port_that_it_names(matched: Sample, judge: Judge) -> None:
    """A route for one port of a Service takes requests to it, and none to its other port."""
    judge(taken_and_left(matched, [PORT_ASKED]))


@behaviour("matches/header", feature="routing")
def test_a_route_takes_the_headers_that_it_names(matched: Sample, judge: Judge) -> None:
    """Routes by a header's pattern, and by its absence, take such requests, and no others."""
    judge(taken_and_left(matched, HEADERS))
