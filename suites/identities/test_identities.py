"""Identities: who peers are to each other, and who signed for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.handshake import certificate_of_another_root
from meshproof.workloads.sample import HELLOWORLD, Sample
from suites.identities.announced import STRANGER, announced, answered_as, refused_as, stranger
from suites.identities.claims import (
    another_roots_client_is_refused,
    peers_know_each_other,
    primaries_are_siblings,
    signed_by_the_primarys_authority,
    workloads,
)
from suites.identities.lifetimes import SHORT, USUAL, briefly_certified, valid_for

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.managed("too")


@pytest.mark.each_topology
@behaviour("identities/peers-know-each-other", feature="security")
def test_peers_know_each_other(sample: Sample, caller: str, judge: Judge) -> None:
    """Each side of a call knows the other's SPIFFE identity, in its own and in other clusters."""
    judge(peers_know_each_other(sample, sample.caller(caller)))


@pytest.mark.each_topology
@behaviour("identities/signed-by-the-primary", feature="security")
def test_workloads_are_signed_for_by_their_primary(sample: Sample, judge: Judge) -> None:
    """Workloads' certificates are signed by their primary's authority, below the mesh's root."""
    judge(signed_by_the_primarys_authority(sample, workloads(sample)))


@behaviour("identities/valid-as-long-as-asked", feature="security", level="extended")
@pytest.mark.each_shape
def test_certificates_are_valid_as_long_as_asked(sample: Sample, judge: Judge) -> None:
    """Workloads' certificates are valid for a day, or for as long as their agents ask for."""
    verdicts = [valid_for(sample, workloads(sample), USUAL)]
    with briefly_certified(sample) as brief:
        verdicts.append(valid_for(sample, [brief], SHORT))
    judge(all_of(verdicts))


@behaviour("identities/primaries-sign-for-themselves", feature="security")
@pytest.mark.primaries(2)
def test_primaries_have_authorities_of_their_own(sample: Sample, judge: Judge) -> None:
    """Each primary signs with an intermediate of its own, below the one root of the mesh."""
    judge(
        all_of(
            [
                primaries_are_siblings(sample),
                signed_by_the_primarys_authority(sample, workloads(sample)),
            ]
        )
    )


@behaviour("identities/other-root-refused", feature="security")
def test_a_certificate_of_another_root_is_refused(
    sample: Sample, caller: str, judge: Judge
) -> None:
    """A caller whose certificate another root stands behind is refused, whatever name is in it."""
    foreign = certificate_of_another_root(sample, caller)
    judge(another_roots_client_is_refused(sample, caller, foreign))


@behaviour("identities/impostor-refused", feature="security")
@pytest.mark.each_shape
def test_a_server_of_another_name_is_refused(sample: Sample, judge: Judge) -> None:
    """A server with a certificate of the mesh is taken under its own name, and no other."""
    with stranger(sample) as server:
        with announced(sample, server, STRANGER):
            control = answered_as(sample, server, STRANGER)
        with announced(sample, server, HELLOWORLD):
            claim = refused_as(sample, server, HELLOWORLD)
    judge(all_of([claim, control]))
