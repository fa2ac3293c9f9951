"""What a run's tests declare: where each applies, and why it does not elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from meshproof.events import Event
from meshproof.model import Behaviour, Deployment, Mtls, representative


@dataclass(frozen=True)
class Declared:
    """One test function. ``test``: its id without parameters; ``about``: what its folder says of
    itself.

    ``runs_on``: the deployments on which it runs; ``left_out``: those on which it does not, with
    the reason; ``bare``: the names of the bare labs that it runs on; ``bare_left_out``: those that
    were asked for, and cannot do what it requires, with the reason; ``each_topology``: whether it
    is about what each topology has to show by itself.
    """

    test: str
    behaviour: Behaviour
    runs_on: tuple[Deployment, ...] = ()
    left_out: Mapping[Deployment, str] = field(default_factory=dict, hash=False)
    bare: tuple[str, ...] = ()
    about: str = ""
    bare_left_out: Mapping[str, str] = field(default_factory=dict, hash=False)
    each_topology: bool = False

    def in_short(self, deployments: Collection[Deployment]) -> tuple[Deployment, ...]:
        """Of these deployments those on which it is enough to run it."""
        here = tuple(one for one in self.runs_on if one in deployments)
        return here if self.each_topology else representative(here)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A test that does not apply to a deployment, and why. ``behaviour``: its id;
    ``deployment``: its name.

    ``told``: whether the table says so. It does of a topology's plain deployment, if the test is
    judged on no other deployment of the topology: a variant or another mTLS mode is there for
    the tests that ask for it.
    """

    test: str
    behaviour: str
    sentence: str
    deployment: str
    reason: str
    told: bool


def left_out(declared: Iterable[Declared]) -> list[LeftOut]:
    """What does not apply, once for each test function and deployment."""
    return [
        LeftOut(one.test, one.behaviour.id, one.behaviour.sentence, name, reason, told)
        for one in declared
        for name, reason, told in (
            *((str(on), why, _is_told(one, on)) for on, why in one.left_out.items()),
            *((name, why, True) for name, why in one.bare_left_out.items()),
        )
    ]


def left_out_in(events: Iterable[Event]) -> list[LeftOut]:
    """The same, from a run's record."""
    fields = LeftOut.__dataclass_fields__
    return [
        LeftOut(**{name: event.data[name] for name in fields})
        for event in events
        if event.kind == "not-applicable"
    ]


def is_plain(deployment: Deployment) -> bool:
    """Whether a deployment is strict and without variants, and stays as it is."""
    plain = deployment.mtls is Mtls.STRICT and not deployment.variants
    return plain and deployment.upgrade is None


def _is_told(one: Declared, deployment: Deployment) -> bool:
    judged: Sequence[str] = [other.topology.name for other in one.runs_on]
    return is_plain(deployment) and deployment.topology.name not in judged
