"""Which remote secrets make a cluster part of its mesh, and what callers lose without them."""

from __future__ import annotations

import pytest

from meshproof.errors import EvidenceError
from meshproof.traffic.stream_history import CallKind
from meshproof.traffic.stream_over import behind_one_gateway
from meshproof.workloads.sample import Sample
from suites.change.clusters import lost_without, secrets_between
from suites.change.secrets import plan_without
from suites.change.services import Move, move_of
from tests.claims.substitutes import world
from tests.claims.table import MIXED, REMOTE, SPLIT


def on(monkeypatch: pytest.MonkeyPatch, topology: str) -> Sample:
    made, _ = world(monkeypatch, topology)
    return made.sample


def test_a_primary_is_read_by_others_and_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = on(monkeypatch, SPLIT)
    secrets = secrets_between(sample, "west")
    assert secrets == [("east", "west"), ("west", "east")]
    assert lost_without(sample, secrets) == {"east": ("v2",), "west": ("v1",)}


def test_a_remote_is_lost_to_its_own_callers_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = on(monkeypatch, REMOTE)
    secrets = secrets_between(sample, "west")
    assert secrets == [("east", "west")]
    assert lost_without(sample, secrets) == {"east": ("v2",), "west": ("v2",)}


def test_a_cluster_that_its_own_istiod_loses_is_called_by_requests_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests = (CallKind.HTTP_KEPT, CallKind.HTTP_FRESH)
    assert plan_without(on(monkeypatch, REMOTE), "west").kinds == requests
    assert plan_without(on(monkeypatch, SPLIT), "west").kinds == tuple(CallKind)


def test_the_rest_of_a_mesh_keeps_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = on(monkeypatch, MIXED)
    gone = lost_without(sample, secrets_between(sample, "west"))
    assert gone == {"east": ("v3",), "north": ("v3",), "west": ("v1", "v2")}


def test_callers_that_would_be_left_alone_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = on(monkeypatch, REMOTE)
    everything = [("east", "east"), ("east", "west")]
    with pytest.raises(EvidenceError, match="nobody would be left whom east could call"):
        lost_without(sample, everything)


def test_a_version_moves_to_where_another_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert move_of(on(monkeypatch, SPLIT)) == Move("v1", "east", "west")
    assert move_of(on(monkeypatch, MIXED)) == Move("v1", "east", "north")


def test_versions_behind_one_gateway_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any(behind_one_gateway(on(monkeypatch, SPLIT)).values())
    found = behind_one_gateway(on(monkeypatch, MIXED))
    assert {caller: len(versions) for caller, versions in found.items()} == {
        "east": 0,
        "north": 0,
        "west": 2,
    }
