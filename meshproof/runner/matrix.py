"""Which deployments a test runs on: the matrix asked for, narrowed by the test's markers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import pytest

from meshproof.errors import ModelError
from meshproof.files import topology_names
from meshproof.model import (
    REVISION,
    UNRELATED_ROOTS,
    USUAL_REVISION,
    VARIANTS,
    Capability,
    Deployment,
    InstalledBy,
    Mtls,
    Profile,
    Releases,
    Topology,
    Upgrade,
    Version,
    representative,
    usual_installer,
)
from meshproof.report import Declared
from meshproof.run.selection import Selection
from meshproof.run.upgrades import deployment_of
from meshproof.runner.applies import (
    EACH_TOPOLOGY,
    NAMES,
    ground,
    lacking,
    networks_of,
    why_not,
)
from meshproof.runner.axes import Axis, axis_of
from meshproof.runner.declaring import declared_by

PLAIN = ""
"""No variant."""
# By default every topology is judged with strict mTLS, and these are the modes and variants of
# those that stand for all others in everything else.
_REFERENCE = {
    ("primary-remote-flat", PLAIN): (Mtls.STRICT, Mtls.PERMISSIVE, Mtls.DISABLED),
    ("primary-remote-flat", REVISION): (Mtls.STRICT,),
    ("multi-primary-flat", PLAIN): (Mtls.STRICT, Mtls.DISABLED),
    ("multi-primary-flat", UNRELATED_ROOTS): (Mtls.STRICT, Mtls.DISABLED),
}


MATRIX = pytest.StashKey["Matrix"]()


@dataclass(frozen=True)
class Matrix:
    """What is asked for, as data.

    ``mtls``: modes instead of the default ones; ``variants``: in addition to the default ones,
    where a topology can have them; ``full``: the product of all that is not narrowed so; ``only``:
    of the deployments those with these ids, or all; ``upgrades``: the ways to another Istio, on
    which all of them are then; ``installer``: what installs all of them, in place of the usual one
    of each topology; ``in_short``: what is not about each topology is judged on those that stand
    for the others (``representative``); ``capabilities``: what labs can.
    """

    topologies: tuple[Topology, ...]
    releases: tuple[Releases, ...]
    kubernetes: Version
    mtls: tuple[Mtls, ...] = ()
    variants: tuple[str, ...] = ()
    revision: str = USUAL_REVISION
    full: bool = False
    only: tuple[str, ...] = ()
    upgrades: tuple[Upgrade, ...] = ()
    installer: InstalledBy | None = None
    capabilities: frozenset[Capability] = frozenset(Capability)
    in_short: bool = False

    @classmethod
    def of(cls, asked: Selection, kubernetes: Version) -> Matrix:
        """The matrix that is asked for. Raises UsageError where that cannot be."""
        return cls(
            asked.topologies,
            asked.releases,
            kubernetes,
            asked.modes,
            asked.variants,
            asked.revision,
            full=asked.profile is Profile.ALL,
            only=asked.request.deployment,
            upgrades=asked.upgrades,
            installer=asked.installer,
            capabilities=asked.capabilities,
            in_short=asked.in_short,
        )

    @cached_property
    def deployments(self) -> tuple[Deployment, ...]:
        """The deployments that tests run on, those that can share an installation next to each
        other."""
        return tuple(one for one in self.asked if not self.only or str(one) in self.only)

    @cached_property
    def asked(self) -> tuple[Deployment, ...]:
        """The same, also those that are left out since others are named."""
        if self.upgrades:
            return tuple(dict.fromkeys(self._upgraded()))
        found = [
            Deployment(
                topology,
                release.on(topology),
                self.kubernetes,
                mode,
                frozenset({variant} - {PLAIN}),
                self.revision if variant == REVISION else "",
                installed_by=self.installer or usual_installer(topology.name),
            )
            for topology, release in product(self.topologies, self.releases)
            for variant in self._variants(topology)
            for mode in self._modes(topology, variant)
        ]
        return tuple(dict.fromkeys(found))

    def _upgraded(self) -> Iterator[Deployment]:
        """Each topology that can have them on each of the ways asked for."""
        modes = self.mtls or (Mtls.STRICT,)
        for topology, release, mode, upgrade in product(
            self.topologies, self.releases, modes, self.upgrades
        ):
            with suppress(ModelError):
                yield deployment_of(topology, release, self.kubernetes, upgrade, mode)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The topologies that a marker may name: those that there are, and those asked for."""
        return tuple(dict.fromkeys([*topology_names(), *(one.name for one in self.topologies)]))

    @cached_property
    def places(self) -> dict[str, tuple[tuple[Deployment, ...], Mapping[Deployment, str]]]:
        """Where tests run, and why not elsewhere, by what their markers and axis say: most tests
        say what others say too."""
        return {}

    def place(
        self, marks: Sequence[pytest.Mark], axis: Axis | None
    ) -> tuple[tuple[Deployment, ...], Mapping[Deployment, str]]:
        """The deployments that a test with these markers and this axis runs on, and the reasons for
        those to which it does not apply.

        Which of them stand for others does not depend on those that are left out.
        """
        unable = lacking(marks, self.capabilities)
        reasons = {one: why_not(marks, one, self.names, axis) or unable for one in self.asked}
        fits = [one for one, reason in reasons.items() if reason is None]
        if self.in_short and all(mark.name != EACH_TOPOLOGY for mark in marks):
            fits = list(representative(fits))
        here = set(self.deployments)
        lacks = {one: why for one, why in reasons.items() if why is not None and one in here}
        return tuple(one for one in fits if one in here), lacks

    def _variants(self, topology: Topology) -> list[str]:
        if self.full:
            asked = list(self.variants or VARIANTS)
        else:
            usual = [name for where, name in _REFERENCE if where == topology.name and not self.mtls]
            asked = [name for name in dict.fromkeys([*usual, *self.variants]) if name != PLAIN]
        return [PLAIN, *(name for name in asked if VARIANTS[name].exists_on(topology))]

    def _modes(self, topology: Topology, variant: str) -> Sequence[Mtls]:
        if self.mtls or self.full:
            return self.mtls or tuple(Mtls)
        return _REFERENCE.get((topology.name, variant), (Mtls.STRICT,))


def expand(metafunc: pytest.Metafunc, matrix: Matrix) -> Declared:
    """Run a test on each of its deployments, and there with each value of its axis, if it has one.
    Returns what was declared of it."""
    declared = declare(metafunc.definition, matrix)
    chosen = declared.runs_on
    axis = axis_of(metafunc.fixturenames)
    if not chosen:
        # A parameter that nobody runs: pytest would make a skip of an empty set, which the
        # reader could not tell from one that nobody declared.
        metafunc.parametrize("sample", [pytest.param(None, id="nowhere")], indirect=True)
    elif axis is not None:
        marks = list(metafunc.definition.iter_markers())
        networks = networks_of(marks)
        runs = [
            (one, value)
            for one in chosen
            for value in axis.on(ground(marks, one.topology), networks, one.course)
        ]
        values = [(one, *value) for one, value in runs]
        ids = [f"{one}-{axis.id(value)}" for one, value in runs]
        metafunc.parametrize(("sample", *axis.fixtures), values, ids=ids, indirect=["sample"])
    else:
        metafunc.parametrize("sample", chosen, ids=str, indirect=True)
    return declared


def declare(definition: pytest.Item, matrix: Matrix) -> Declared:
    """Where in the matrix a test runs, and why not elsewhere."""
    marks = list(definition.iter_markers())
    axis = axis_of(getattr(definition, "fixturenames", ()))
    told = [one for one in marks if one.name in NAMES]
    said = repr([(one.name, one.args, sorted(one.kwargs.items())) for one in told])
    key = f"{axis.fixtures if axis is not None else ()} {said}"
    if key not in matrix.places:
        matrix.places[key] = matrix.place(marks, axis)
    runs_on, lacks = matrix.places[key]
    return declared_by(definition, runs_on=runs_on, left_out=lacks)
