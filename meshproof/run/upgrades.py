"""Judges what is asked of an upgrade before anything is made: which ways it comes to, and in one
sentence why there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from meshproof.artifacts import default_wanted, istio_version
from meshproof.errors import ModelError, UsageError
from meshproof.model import (
    REVISION,
    Deployment,
    Mtls,
    Releases,
    RunRequest,
    Strategy,
    Topology,
    Upgrade,
    Version,
    revision_of,
)
from meshproof.model.upgrade import LAST

_NUMBER = re.compile("[1-9][0-9]{0,2}")


def upgrades_of(asked: RunRequest) -> tuple[Upgrade, ...]:
    """The ways to another Istio that are asked for; () where none is. Raises UsageError for a
    version or a step that is none."""
    if asked.upgrade_to is None:
        return ()
    to, strategy = istio_version(asked.upgrade_to), Strategy(asked.strategy)
    numbers: list[int | None] = [_step(text) for text in asked.rollback_after]
    numbers += [LAST] if asked.rollback else []
    return tuple(
        Upgrade(to, strategy, asked.first or "", number)
        for number in dict.fromkeys(numbers or [None])
    )


def check_upgrades(
    asked: RunRequest,
    topologies: Sequence[Topology],
    releases: Sequence[Releases],
    upgrades: Sequence[Upgrade],
) -> None:
    """Raise UsageError unless what is said of an upgrade is said of one, and each of them is one
    that some topology can have."""
    if asked.upgrade_to is None:
        _check_unsaid(asked)
        return
    if not asked.istio:
        raise UsageError("nothing says with which Istio to begin", "add '--istio VERSION'")
    if asked.variant or asked.revision is not None:
        raise UsageError(
            "an upgrade is judged of topologies as they are, and names its own revisions",
            "leave --variant and --revision out",
        )
    for release, one in product(releases, upgrades):
        errors = [_why_not(topology, release, one) for topology in topologies]
        if errors and None not in errors:
            raise next(error for error in errors if error is not None)


def deployment_of(
    topology: Topology,
    releases: Releases,
    kubernetes: Version,
    upgrade: Upgrade,
    mtls: Mtls = Mtls.STRICT,
) -> Deployment:
    """A topology on its way to another Istio. Raises ModelError for what cannot be."""
    istio = releases.on(topology)
    old = next(iter(istio.values()))
    canary = upgrade.strategy is Strategy.CANARY
    return Deployment(
        topology,
        istio,
        kubernetes,
        mtls,
        frozenset({REVISION} if canary else ()),
        revision_of(old) if canary else "",
        upgrade,
    )


def _check_unsaid(asked: RunRequest) -> None:
    given = {
        "--strategy": asked.strategy != Strategy.IN_PLACE,
        "--first": asked.first is not None,
        "--rollback": asked.rollback,
        "--rollback-after": bool(asked.rollback_after),
    }
    if said := [option for option, is_given in given.items() if is_given]:
        raise UsageError(
            f"{' and '.join(said)} say{'s' if len(said) == 1 else ''} how to upgrade, and nothing "
            "says to which Istio",
            "add '--upgrade-to VERSION'",
        )


def _why_not(topology: Topology, releases: Releases, upgrade: Upgrade) -> ModelError | None:
    try:
        deployment_of(topology, releases, default_wanted().kubernetes, upgrade)
    except ModelError as error:
        return error
    return None


def _step(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"--rollback-after is '{text}'", "give a step's number, from 1 on")
    return int(text)
