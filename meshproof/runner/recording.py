"""What a run writes into its record of itself and of its tests (docs/record.md)."""

from __future__ import annotations

import os
import traceback
from collections.abc import Generator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import pytest

import meshproof
from meshproof.environment import taken_away
from meshproof.errors import MeshproofError, UsageError
from meshproof.events import Data
from meshproof.files import read_footprint, request_data, request_text
from meshproof.model import Deployment, RunRequest, Version, wiring_named
from meshproof.report.outcomes import KNOWN
from meshproof.run.described import described_topology, described_wiring
from meshproof.run.machine import described_machine
from meshproof.runner.bare_lab import BareLab, runs_on
from meshproof.runner.behaviours import BEHAVIOURS, behaviour_of, proven_by
from meshproof.runner.declaring import not_applicable
from meshproof.runner.enforcing import SkippedError
from meshproof.runner.failures import cause_of, evidence_of
from meshproof.runner.judging import DidNotHoldError, KnownIssueError
from meshproof.runner.known import described
from meshproof.runner.matrix import MATRIX
from meshproof.runner.options import request_of
from meshproof.runner.stash import SESSION


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say of our tests in pytest's own results for CI systems, where these are asked for, what is
    judged on what: a test's name alone changes with the wording."""
    if not getattr(config.option, "xmlpath", None):
        return
    for item in items:
        if (on := runs_on(item)) is not None:
            about = {"behaviour": behaviour_of(item).id, "deployment": str(on)}
            item.user_properties += about.items()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """The record begins: what was asked for and planned, and what does not apply.

    Of several processes the one that gives tests to the others does so.
    """
    config = session.config
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    planned = [item for item in session.items if runs_on(item) is not None]
    without = not_applicable(config)
    if not planned and not without:
        return
    from meshproof.schema import SCHEMA  # when there is something to record

    recorder, request = config.stash[SESSION].recorder, request_of(config)
    recorder.emit(
        "run-begin",
        schema=SCHEMA,
        meshproof=meshproof.__version__,
        request=request_data(request),
        machine=described_machine(),
        deployments=_deployments(config, planned),
        topologies=_topologies(config, planned),
        proofs=_proofs(config, planned),
        tests=[item.nodeid for item in planned],
    )
    _keep_request(config.stash[SESSION].folder, request)
    for one in without:
        recorder.emit("not-applicable", **asdict(one))
    if ignored := taken_away(os.environ):
        text = f"set where this run was begun, and not heeded: {', '.join(ignored)}"
        recorder.emit("notice", text=text)


def _keep_request(folder: Path | None, request: RunRequest) -> None:
    """Leave the request as a file, by which the run can be made again. What cannot be written is
    in the record all the same, or that tells of the full disk."""
    if folder is not None:
        with suppress(OSError, UsageError):
            folder.joinpath("request.json").write_text(request_text(request), encoding="utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Whatever is recorded while a test runs is marked as the test's: steps, calls, verdicts."""
    if runs_on(item) is None:
        return (yield)
    with item.config.stash[SESSION].recorder.marked(test=item.nodeid):
        return (yield)


def record_test(
    item: pytest.Item,
    report: pytest.TestReport,
    error: BaseException | None,
    worker: str | None = None,
) -> None:
    """Write down how a test ended, or a part of it did; nothing for tests that are none of ours.

    ``error``: why it did not pass; ``worker``: the name of the worker that should have written
    this, and has died.
    """
    on = runs_on(item)
    if on is None:
        return
    outcome = {"passed": "PASS", "skipped": "skipped"}.get(report.outcome)
    if isinstance(error, KnownIssueError):
        outcome = KNOWN
    elif outcome is None:
        failed = isinstance(error, DidNotHoldError | SkippedError)
        outcome = "FAIL" if failed else "INCONCLUSIVE"
    report.inconclusive = outcome == "INCONCLUSIVE"  # type: ignore[attr-defined]
    session, judged = item.config.stash[SESSION], behaviour_of(item)
    caller, pair = _called_from(item)
    session.recorder.emit(
        "test",
        test=item.nodeid,
        behaviour=judged.id,
        sentence=judged.sentence,
        suite=judged.suite,
        level=judged.level.value,
        feature=judged.feature,
        deployment=_described(on, session.wanted.kubernetes),
        caller=caller,
        pair=pair,
        machine=_machine(item),
        step=_step(item),
        outcome=outcome,
        why="" if error is None else _why(error),
        cause=cause_of(item) if outcome == "INCONCLUSIVE" else "",
        seconds=report.duration,
        evidence=evidence_of(item),
        proves=proven_by(item),
        known_issues=described(item),
        **({} if worker is None else {"worker": worker}),
    )


def _why(error: BaseException) -> str:
    """Why a test did not pass. An error that nobody foresaw is told with its kind and place, since
    its words alone ("list index out of range", "'west'") tell nothing."""
    if isinstance(error, MeshproofError | AssertionError | SkippedError):
        return str(error) or type(error).__name__
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return told
    place = "/".join(Path(frames[-1].filename).parts[-3:])
    return (
        f"{told} ({place}:{frames[-1].lineno}): an error in the suite or in meshproof, which says "
        "nothing of the mesh"
    )


def _called_from(item: pytest.Item) -> tuple[str | None, list[str] | None]:
    """The cluster, or the pair of clusters, that a test runs for; other people's suites may call
    something else so."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    caller, pair = params.get("caller", params.get("calling")), params.get("pair")
    if caller is not None and caller == _machine(item):
        caller = None
    return (
        caller if isinstance(caller, str) else None,
        [str(name) for name in pair] if isinstance(pair, tuple) else None,
    )


def _machine(item: pytest.Item) -> str | None:
    """The machine outside Kubernetes that a test runs for; other people's suites may call something
    else so."""
    params, on = getattr(getattr(item, "callspec", None), "params", {}), runs_on(item)
    there = [one.name for one in on.topology.machines] if isinstance(on, Deployment) else []
    calling = params.get("calling")
    machine = params.get("machine", calling if calling in there else None)
    return machine if isinstance(machine, str) else None


def _step(item: pytest.Item) -> int | None:
    """The number of the stage of an upgrade that a test is about."""
    step = getattr(getattr(item, "callspec", None), "params", {}).get("step")
    return step if isinstance(step, int) else None


def _deployments(config: pytest.Config, planned: list[pytest.Item]) -> list[Data]:
    """All that tests run on, or do not apply to, as fields."""
    kubernetes = config.stash[SESSION].wanted.kubernetes
    matrix = config.stash.get(MATRIX, None)
    found = [*map(runs_on, planned), *(matrix.deployments if matrix is not None else ())]
    distinct = {str(on): on for on in found if on is not None}
    return [_described(on, kubernetes) for on in distinct.values()]


def _topologies(config: pytest.Config, planned: list[pytest.Item]) -> dict[str, Data]:
    """What the tests run on, drawn up, by its id; but for what cannot be, as clusters that share
    ranges on one flat network: whoever is to make it says so."""
    kubernetes = config.stash[SESSION].wanted.kubernetes
    drawn = {}
    for name, on in {str(on): on for item in planned if (on := runs_on(item)) is not None}.items():
        with suppress(MeshproofError):
            drawn[name] = _drawn_up(on, kubernetes)
    return drawn


def _drawn_up(on: BareLab | Deployment, kubernetes: Version) -> Data:
    if isinstance(on, Deployment):
        return described_topology(on)
    footprint = read_footprint(on.clusters, kubernetes)
    return described_wiring(footprint, wiring_named(on.wiring, footprint))


def _proofs(config: pytest.Config, planned: list[pytest.Item]) -> dict[str, Data]:
    """What proves that the tests of each behaviour can fail, by its id: the sabotages that see it
    fail, and the mutants that it must notice."""
    # Reading the catalogue takes half a second, which only a run has to spare.
    from meshproof.mutants.catalogue import catalogue

    by = config.stash[BEHAVIOURS].sabotages
    return {
        name: {
            "sabotages": list(by.get(name, ())),
            "mutants": [
                {"id": one.id, "what": one.what} for one in catalogue() if one.notices == name
            ],
        }
        for name in dict.fromkeys(behaviour_of(item).id for item in planned)
    }


def _described(on: BareLab | Deployment, kubernetes: Version) -> Data:
    """What a test runs on, as fields; ``id`` is what reports call it."""
    if isinstance(on, BareLab):
        return {
            "id": str(on),
            "clusters": on.kind_configs,
            "wiring": on.wiring,
            "kubernetes": str(kubernetes),
        }
    return {
        "id": str(on),
        "topology": on.topology.name,
        "istio": {cluster: str(version) for cluster, version in on.istio.items()},
        "kubernetes": str(on.kubernetes),
        "mtls": on.mtls.value,
        "variants": sorted(on.variants),
        "revision": on.revision,
        "upgrade": _upgrade(on),
        "installer": on.installed_by.value,
    }


def _upgrade(on: Deployment) -> Data | None:
    upgrade = on.upgrade
    if upgrade is None:
        return None
    return {
        "to": str(upgrade.to),
        "strategy": upgrade.strategy.value,
        "first": upgrade.first,
        "back_after": upgrade.back_after,
        "words": str(upgrade),
    }
