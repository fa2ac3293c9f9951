"""Known issues: behaviours that an Istio is known, in public, not to keep. Data, no I/O.

Such a failure is told as KNOWN where it is seen just as the issue says, and nowhere else: on
another version, in another setting, or seen otherwise it is a failure as any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from packaging.specifiers import SpecifierSet
from packaging.version import Version as Release

from meshproof.errors import ModelError
from meshproof.model.behaviour import check_id
from meshproof.model.deployment import Deployment
from meshproof.model.member import Mtls
from meshproof.model.topology import Topology
from meshproof.model.versions import Version
from meshproof.nearest import choose

_USUAL_TRUST_DOMAIN = "cluster.local"
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d+)/?")
# No verdict says one of these: a pattern that matches them would match whatever is seen.
_ANYTHING = ("", "x", "anything at all that might be seen: 17 of 20 calls, such as 503")


class Policy(StrEnum):
    """What known issues do to a run: by themselves they do not fail it, or they do."""

    ALLOW = "allow"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a test was judged on. ``caller``: the cluster that it calls from; ``called``: the
    one that it calls; None where the test is not about one cluster alone."""

    deployment: Deployment
    caller: str | None = None
    called: str | None = None

    @property
    def topology(self) -> Topology:
        """What the deployment is of."""
        return self.deployment.topology

    @property
    def deciding(self) -> tuple[Version, ...]:
        """The versions of the istiods that count: where the test has a caller, of the one that
        serves it; else of all, since the test may be about any of them."""
        if self.caller is not None:
            return (self.deployment.istio[self.topology[self.caller].primary],)
        return tuple(self.deployment.istio[one.name] for one in self.topology.control_planes)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a setting must have for an issue to show. ``meaning``: in words, for people."""

    name: str
    meaning: str
    holds: Callable[[Setting], bool]


def _same_services(one: Setting) -> bool:
    clusters = [one.topology[name].cluster for name in one.topology.workloads]
    return any(a.services.overlaps(b.services) for a, b in combinations(clusters, 2))


def _across(one: Setting) -> bool:
    if one.caller is None or one.called is None:
        return False
    return not one.topology.same_network(one.caller, one.called)


CONDITIONS: Mapping[str, Condition] = {
    one.name: one
    for one in (
        Condition(
            "several networks",
            "workloads are on more than one network",
            lambda one: len(one.topology.networks) > 1,
        ),
        Condition(
            "same services",
            "the Services of two clusters can have the same address",
            _same_services,
        ),
        Condition(
            "several zones",
            "the nodes of a cluster are in more than one zone",
            lambda one: any(len(set(member.zones)) > 1 for member in one.topology.members),
        ),
        Condition(
            "another trust domain",
            f"a mesh has another trust domain than {_USUAL_TRUST_DOMAIN}",
            lambda one: any(
                mesh.trust_domain != _USUAL_TRUST_DOMAIN for mesh in one.topology.meshes
            ),
        ),
        Condition(
            "a remote",
            "a cluster is served by another cluster's istiod",
            lambda one: bool(one.topology.remotes),
        ),
        Condition(
            "across networks",
            "the test calls a cluster on another network than its caller's",
            _across,
        ),
        Condition(
            "called where no istiod reads",
            "the test calls a cluster whose configuration no istiod reads",
            lambda one: one.called in one.topology.unread_clusters,
        ),
    )
}
"""All there are, by name."""


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """A behaviour that some versions of Istio are known not to keep.

    ``link``: where that is public; ``behaviour``: its id; ``istio``: the versions, as in
    ">=1.29,<1.32", where a pre-release counts as the release that it leads to; ``when``: names of
    CONDITIONS, all of which must hold; ``topologies``, ``mtls``: those on which it shows, () for
    all; ``seen``: what users see of it, in words; ``observed``: regular expressions, of which one
    must match, in full, what a verdict observed.
    Raises ModelError for what is no link, id, range of versions, condition or expression, and for
    an expression that would match whatever is seen.
    """

    link: str
    behaviour: str
    istio: SpecifierSet
    seen: str
    observed: tuple[str, ...]
    when: tuple[str, ...] = ()
    topologies: tuple[str, ...] = ()
    mtls: tuple[Mtls, ...] = ()

    def __post_init__(self) -> None:
        check_id(self.behaviour)
        if not re.fullmatch(r"https://\S+", self.link):
            raise ModelError(
                f"'{self.link}' is no public link",
                "write one as in https://github.com/istio/istio/issues/32819",
            )
        for name in self.when:
            if name not in CONDITIONS:
                raise ModelError(f"there is no condition '{name}'", choose(name, CONDITIONS))
        if not self.observed:
            raise ModelError(
                f"what is observed of {self.link} is not said", "write a regular expression"
            )
        for pattern in self.observed:
            _check_pattern(pattern)

    @property
    def name(self) -> str:
        """What people call it, as ``issue_name``."""
        return issue_name(self.link)

    def applies(self, behaviour: str, setting: Setting) -> bool:
        """Whether a behaviour is known not to be kept in a setting."""
        deployment = setting.deployment
        return (
            behaviour == self.behaviour
            and all(self._is_of(version) for version in setting.deciding)
            and (not self.topologies or deployment.topology.name in self.topologies)
            and (not self.mtls or deployment.mtls in self.mtls)
            and all(CONDITIONS[name].holds(setting) for name in self.when)
        )

    def shows_in(self, observed: str) -> bool:
        """Whether what a verdict observed is just what is known."""
        return any(re.fullmatch(pattern, observed) for pattern in self.observed)

    def _is_of(self, version: Version) -> bool:
        return Release(f"{version.major}.{version.minor}.{version.patch}") in self.istio


def issue_name(link: str) -> str:
    """What people call a public issue: "istio/istio#32819"; of what is not on GitHub the link."""
    found = _GITHUB.fullmatch(link)
    return f"{found[1]}#{found[2]}" if found else link


def applying(
    issues: Iterable[KnownIssue], behaviour: str, setting: Setting
) -> tuple[KnownIssue, ...]:
    """Those of the issues by which a behaviour is known not to be kept in a setting."""
    return tuple(one for one in issues if one.applies(behaviour, setting))


def _check_pattern(pattern: str) -> None:
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise ModelError(f"'{pattern}' is no regular expression ({error})", "mend it") from None
    if any(found.fullmatch(text) for text in _ANYTHING):
        raise ModelError(
            f"'{pattern}' matches whatever is seen, so that any failure would be a known one",
            "write what this issue alone looks like",
        )
