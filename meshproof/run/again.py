"""What an earlier run was asked for, and which of its tests are to be judged again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from meshproof.errors import UsageError
from meshproof.files import request_of
from meshproof.model import RunRequest
from meshproof.model.request import of_all_rounds
from meshproof.report.outcomes import judged
from meshproof.report.record import Run, run_named

_BAD = frozenset({"FAIL", "INCONCLUSIVE"})
SAME = (
    "topology",
    "topology_file",
    "mtls",
    "variant",
    "revision",
    "installer",
    "istio",
    "kubernetes",
    "unsupported_kubernetes",
    "profile",
    "calls",
    "sabotage",
    "mutants",
    "enforce",
    "known_issues",
    "only",
    "suites",
    "engine",
    "artifacts",
    "checkout",
    "hub",
    "tag",
    "cluster",
    "cluster_file",
    "workload_images",
    "istioctl",
    "image_archive",
    "charts",
    "pool",
)
"""What decides which tests there are, and what they run on and are made of."""


def as_asked_before(request: RunRequest) -> RunRequest:
    """The request, with what that leaves at its defaults as the run was asked whose failures it is
    about; as it is where it is about none.

    Raises UsageError for a run that there is not, or whose request is of another version;
    RecordError for a record that cannot be read.
    """
    if request.rerun_failed is None:
        return request
    before, usual = requested(run_named(str(request.rerun_failed))), RunRequest()
    left = [name for name in SAME if getattr(request, name) == getattr(usual, name)]
    return replace(request, **{name: getattr(before, name) for name in left})


def requested(run: Run) -> RunRequest:
    """What a run was asked for. Raises UsageError when its record does not say so."""
    begin = next((one for one in run.events if one.kind == "run-begin"), None)
    if begin is None:
        raise UsageError(
            f"the record in {run.folder} does not say what was asked for", "name another run"
        )
    return request_of(begin.data["request"], f"in the record of {run.folder}")


def troubled(folder: Path) -> tuple[str, ...]:
    """The ids of the tests that failed in a run, or could not be told, without their rounds.

    Raises UsageError where there is none.
    """
    outcomes = judged(run_named(str(folder)).events)
    found = dict.fromkeys(of_all_rounds(one.test) for one in outcomes if one.outcome in _BAD)
    if not found:
        raise UsageError(
            f"nothing failed in {folder}, and all could be told", "leave --rerun-failed out"
        )
    return tuple(found)
