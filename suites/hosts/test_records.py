"""Records: a name that is registered in the host's source is one in its members' DNS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.host.host import Host
from meshproof.host.usual import SHOP
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.hosts.pushes import with_base
from suites.hosts.records import FIRST, SECOND, record, stands_for, unknown

pytestmark = pytest.mark.managed


@behaviour("hosts/records-follow", feature="hosts", level="extended")
def test_a_name_that_is_registered_with_the_host_is_one_in_members(
    sample: Sample, host: Host, judge: Callable[[Verdict], None]
) -> None:
    """A name that a tenant's source registers is told by the DNS of each of its members, stands
    for another once the source says so, and is unknown when it has left the source."""
    usual, members = host.contents[SHOP], host.tenants[SHOP].members
    before = as_control(unknown(sample, members))
    with host.pushed(SHOP, with_base(usual, record(FIRST))):
        verdicts = [stands_for(sample, members, FIRST)]
        with host.pushed(SHOP, with_base(usual, record(SECOND))):
            verdicts.append(stands_for(sample, members, SECOND))
    verdicts.append(unknown(sample, members))
    judge(with_control(all_of(verdicts), before))
