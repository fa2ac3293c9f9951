"""Known issues of a run: which apply to a test, what its verdict is in their light, and what
they do to the run."""

from __future__ import annotations

import pytest

from meshproof.events import Data
from meshproof.expect import Verdict
from meshproof.expect.known import explained, undone
from meshproof.model import Deployment, KnownIssue, Policy, Setting, applying
from meshproof.runner.bare_lab import runs_on
from meshproof.runner.behaviours import behaviour_of, proven_by
from meshproof.runner.options import request_of

CATALOGUE = pytest.StashKey[tuple[KnownIssue, ...]]()
"""The known issues that count: all of the catalogue."""
_SHOWN = pytest.StashKey[tuple[KnownIssue, ...]]()


def policy_of(config: pytest.Config) -> Policy:
    """What known issues do to the run, as it was asked for."""
    return Policy(request_of(config).known_issues)


def in_their_light(item: pytest.Item, verdict: Verdict) -> tuple[Verdict, tuple[KnownIssue, ...]]:
    """The verdict that counts of a test, and the known issues that explain all of its failure;
    () where it is not explained."""
    proven = proven_by(item)
    if proven:
        left, shown = undone(verdict, _of_sabotage(item, proven))
    else:
        left, shown = explained(verdict, issues_of(item))
    item.stash[_SHOWN] = shown
    return left, shown


def issues_of(item: pytest.Item) -> tuple[KnownIssue, ...]:
    """The known issues by which a test's behaviour is not kept where it runs."""
    setting = _setting(item)
    if setting is None or proven_by(item):
        return ()
    issues: tuple[KnownIssue, ...] = item.config.stash[CATALOGUE]
    return applying(issues, behaviour_of(item).id, setting)


def described(item: pytest.Item) -> list[Data]:
    """The same, as fields; ``shows``: whether the test's failure is all of that kind."""
    shown = item.stash.get(_SHOWN, ())
    # A sabotage is told of where it showed nothing; where it did, that is no news of the issue.
    of_it = shown if proven_by(item) else issues_of(item)
    return [{"link": one.link, "seen": one.seen, "shows": one in shown} for one in of_it]


def _of_sabotage(item: pytest.Item, proven: tuple[str, ...]) -> tuple[KnownIssue, ...]:
    """The known issues of the behaviours that a sabotage claims. Where it is not about one pair of
    clusters it may claim them of any."""
    own = _setting(item)
    if own is None:
        return ()
    settings = [own]
    if own.called is None:
        versions = own.topology.versions
        pairs = own.topology.pairs
        settings += [Setting(own.deployment, who, versions[one]) for who, one in pairs]
    issues = item.config.stash[CATALOGUE]
    found = (
        one for setting in settings for name in proven for one in applying(issues, name, setting)
    )
    return tuple(dict.fromkeys(found))


def _setting(item: pytest.Item) -> Setting | None:
    """Where a test runs; None for one that runs on no mesh."""
    on = runs_on(item)
    if not isinstance(on, Deployment):
        return None
    params = getattr(getattr(item, "callspec", None), "params", {})
    caller = params.get("caller", params.get("calling"))
    called = on.topology.versions.get(str(params.get("target")))
    if isinstance(params.get("pair"), tuple):
        caller, called = params["pair"]
    clusters = on.topology.names
    return Setting(
        on, caller if caller in clusters else None, called if called in clusters else None
    )
