"""Collects the evidence of a failed test while what it failed on is still there, and notes what
kept a test from being judged."""

from __future__ import annotations

import re

import pytest

from meshproof.errors import MeshproofError
from meshproof.kube.seam import in_words
from meshproof.runner.stash import LABS, SESSION
from meshproof.workloads.sample import NAMESPACE, OUTSIDE

# Each takes seconds; what breaks many tests of a lab at once is explained by the first of them.
_MOST = 3
_COLLECTED = pytest.StashKey[dict[str, list[str]]]()
_EVIDENCE = pytest.StashKey[str]()
_CAUSE = pytest.StashKey[str]()


def collect_evidence(item: pytest.Item) -> None:
    """Write what explains a failure of this test into the run's folder, once for each test.

    Does nothing when there is no lab, no folder, or when three tests have theirs of it.
    """
    session, labs = item.config.stash[SESSION], item.config.stash.get(LABS, None)
    lab = labs.lab if labs is not None else None
    if lab is None or session.folder is None:
        return
    done = item.config.stash.setdefault(_COLLECTED, {}).setdefault(lab.id, [])
    if item.nodeid in done or len(done) >= _MOST:
        return
    done.append(item.nodeid)
    # What nobody needs who lists tests, or whose tests hold.
    from meshproof.evidence import collect

    folder = session.folder / "evidence" / re.sub(r"[^\w.+-]+", "-", item.name)
    try:
        index = collect(lab, folder, (NAMESPACE, OUTSIDE))[0]
        item.stash[_EVIDENCE] = str(index.relative_to(session.folder))
        text = f"evidence: {index}"
    except Exception as error:  # a verdict stands, whatever becomes of its evidence
        text = f"evidence could not be collected: {in_words(error)}"
    session.recorder.emit("notice", text=text)


def evidence_of(item: pytest.Item) -> list[str]:
    """The first pages of the evidence of a test's failure, as paths in the run's folder."""
    return [item.stash[_EVIDENCE]] if _EVIDENCE in item.stash else []


def note_cause(item: pytest.Item, cause: MeshproofError) -> None:
    """Keep what it was that kept a test from being judged, whatever the test itself said of it."""
    item.stash[_CAUSE] = str(cause)


def cause_of(item: pytest.Item) -> str:
    """What kept a test from being judged, in the words of all tests that it did so to; "" where
    nothing was noted."""
    return item.stash.get(_CAUSE, "")
