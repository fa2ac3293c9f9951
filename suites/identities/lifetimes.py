"""For how long certificates are valid: as long as whoever asked for one has asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.kube.objects import applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import find_workload, node_probe
from meshproof.mesh.mesh import Way
from meshproof.process import side_by_side
from meshproof.traffic.tls_question import ask
from meshproof.workloads.sample import NAMESPACE, PORT, SNI, Sample, sleep_objects
from suites.identities.claims import Holder

USUAL, SHORT = timedelta(hours=24), timedelta(hours=1)
"""What agents ask for where nobody says otherwise, and what one is told to ask for
(https://istio.io/latest/docs/reference/commands/pilot-agent/, SECRET_TTL)."""
_SLACK = timedelta(minutes=6)
"""Certificates are dated back, since clocks differ: istiod's by two minutes."""
_BRIEF = "sleep-brief"


@contextmanager
def briefly_certified(sample: Sample) -> Iterator[Holder]:
    """A sleep in the last cluster whose agent asks for certificates of an hour. Raises LabError
    when it does not run."""
    name = sample.clusters[-1]
    asked = {"proxyMetadata": {"SECRET_TTL": f"{int(SHORT.total_seconds())}s"}}
    noted = {"proxy.istio.io/config": json.dumps(asked)}
    cluster = sample.mesh.cluster(name)
    with applied(cluster, sleep_objects(name=_BRIEF, annotations=noted)):
        await_rollout(cluster, NAMESPACE, {_BRIEF}, sample.mesh.shell)
        brief = find_workload(cluster, _BRIEF, NAMESPACE)
        identity = sample.topology[name].mesh.identity(NAMESPACE, _BRIEF)
        what = f"{_BRIEF} of {name}"
        yield Holder(what, (name,), name, Way(brief.address, PORT), identity)


def valid_for(sample: Sample, holders: Sequence[Holder], asked: timedelta) -> Verdict:
    """Each workload shows a certificate that is valid for as long as was asked for, in all."""
    shell = sample.mesh.shell
    return all_of(side_by_side(shell, partial(_lasting, sample, asked), holders))


def _lasting(sample: Sample, asked: timedelta, holder: Holder) -> Verdict:
    asking = node_probe(sample.mesh.cluster(holder.asked_from))
    chain = ask(asking, holder.way.address, holder.way.port, SNI).chain
    expected = f"the certificate of {holder.what} to be valid for {asked}"
    if not chain:
        return Verdict(Outcome.FAIL, expected, f"{holder.what} showed no certificate")
    valid = chain[0].not_valid_after_utc - chain[0].not_valid_before_utc
    outcome = Outcome.PASS if asked <= valid <= asked + _SLACK else Outcome.FAIL
    observed = f"that of {holder.what} is valid for {valid} in all"
    dates = f"{chain[0].not_valid_before_utc} to {chain[0].not_valid_after_utc}"
    return Verdict(outcome, expected, observed, {"valid": dates})
