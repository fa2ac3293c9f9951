"""`known-issues`: the catalogue, for people and for programs."""

from __future__ import annotations

import json

import pytest

from tests.cli.harness import Case, case, check, refused
from tests.cli.world import World

LINK = "https://github.com/istio/istio/issues/32819"

CASES = [
    case("for people", "known-issues", 0, f"istio/istio#32819  {LINK}", "Istio >=1.9, when: same"),
    case("as a page", "known-issues --markdown", 0, "# Known issues", f"]({LINK}) |"),
    refused("two forms", "known-issues --json --markdown", "two forms", "give one"),
    refused("an argument", "known-issues names", "names"),
    refused("an unknown option", "known-issues --jsn", "--json"),
]


@pytest.mark.parametrize("one", CASES)
def test_forms(world: World, one: Case) -> None:
    check(world, one)


def test_programs_are_told_all_that_is_in_the_catalogue(world: World) -> None:
    ended = check(world, Case("known-issues --json", 0))
    (one,) = [one for one in json.loads(ended.out) if one["link"] == LINK]
    assert one["behaviour"] == "names/dns-proxy-keeps-tcp-services-apart"
    assert one.keys() >= {"istio", "when", "topologies", "mtls", "seen", "observed"}
