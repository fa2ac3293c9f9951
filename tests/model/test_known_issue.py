"""Where a known issue applies, and what it matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from meshproof.errors import ModelError
from meshproof.files import topology_named
from meshproof.model import (
    CONDITIONS,
    Deployment,
    KnownIssue,
    MeshSpec,
    Mtls,
    Setting,
    Topology,
    Version,
    applying,
)

BEHAVIOUR = "lake/fish-swim"
LINK = "https://github.com/istio/istio/issues/32819"
FLAT, SPLIT = "multi-primary-flat", "multi-primary-split-horizon"


def issue(istio: str = "", **other: Any) -> KnownIssue:
    made = KnownIssue(LINK, BEHAVIOUR, SpecifierSet(istio), "Fish sink.", ("it sank",))
    return replace(made, **other)


def on(
    name: str, *pair: str, mtls: Mtls = Mtls.STRICT, of: Mapping[str, str] | None = None
) -> Setting:
    return setting(topology_named(name), *pair, mtls=mtls, of=of)


def setting(
    topology: Topology,
    *pair: str,
    mtls: Mtls = Mtls.STRICT,
    of: Mapping[str, str] | None = None,
) -> Setting:
    istio = {name: Version.parse((of or {}).get(name, "1.31.1")) for name in topology.names}
    return Setting(Deployment(topology, istio, Version(1, 36, 3), mtls), *pair)


@pytest.mark.parametrize(
    ("istio", "of", "expected"),
    [
        (">=1.29", {}, True),
        (">=1.29,<1.31", {}, False),
        ("", {}, True),
        # Of several versions all count, since the test may be about any of them.
        (">=1.31", {"west": "1.30.4"}, False),
        ("<1.32", {"east": "1.32.0-rc.1"}, False),
        (">=1.32", {"east": "1.32.0-alpha.0a1b2c", "west": "1.32.1"}, True),
    ],
)
def test_versions(istio: str, of: dict[str, str], expected: bool) -> None:
    assert issue(istio).applies(BEHAVIOUR, on(FLAT, of=of)) is expected


def test_with_a_caller_the_istiod_that_serves_it_counts() -> None:
    mixed = {"east": "1.31.1", "west": "1.35.0"}
    served = [issue("<1.32").applies(BEHAVIOUR, on(FLAT, one, of=mixed)) for one in mixed]
    assert served == [True, False]
    remote = on("primary-remote-flat", "west", of=mixed)
    assert issue("<1.32").applies(BEHAVIOUR, remote)


def test_the_behaviour_the_topology_and_the_mode_count() -> None:
    assert not issue().applies("lake/birds-fly", on(FLAT))
    assert not issue(topologies=(SPLIT,)).applies(BEHAVIOUR, on(FLAT))
    assert issue(topologies=(SPLIT,)).applies(BEHAVIOUR, on(SPLIT))
    assert not issue(mtls=(Mtls.DISABLED,)).applies(BEHAVIOUR, on(FLAT))
    assert issue(mtls=(Mtls.DISABLED,)).applies(BEHAVIOUR, on(FLAT, mtls=Mtls.DISABLED))


def other_domain(name: str) -> Setting:
    plain = topology_named(name)
    spec = MeshSpec(trust_domain="one.example")
    return setting(replace(plain, members=tuple(replace(one, mesh=spec) for one in plain.members)))


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("several networks", on(SPLIT), on(FLAT)),
        ("same services", on("overlapping-cidrs"), on(SPLIT)),
        ("several zones", on("zones"), on(SPLIT)),
        ("another trust domain", other_domain(FLAT), on(FLAT)),
        ("a remote", on("primary-remote-flat"), on(FLAT)),
        ("across networks", on(SPLIT, "east", "west"), on(FLAT, "east", "west")),
        ("across networks", on("mixed-networks", "east", "west"), on(SPLIT)),
        (
            "called where no istiod reads",
            on("primary-remote-flat", "east", "west"),
            on("primary-remote-flat", "west", "east"),
        ),
        (
            "called where no istiod reads",
            on("external-control-plane", "east", "west"),
            on("external-control-plane", "west", "east"),
        ),
    ],
)
def test_conditions(condition: str, yes: Setting, no: Setting) -> None:
    assert applying([issue(when=(condition,))], BEHAVIOUR, yes)
    assert not applying([issue(when=(condition,))], BEHAVIOUR, no)


def test_all_conditions_are_seen_to_hold_and_not_to() -> None:
    (mark,) = [one for one in test_conditions.pytestmark if one.name == "parametrize"]  # type: ignore[attr-defined]
    assert {row[0] for row in mark.args[1]} == CONDITIONS.keys()


def test_what_is_observed_must_match_in_full() -> None:
    known = issue(observed=(r"\d+ fish sank", "it rained"))
    assert known.shows_in("3 fish sank") and known.shows_in("it rained")
    assert not known.shows_in("3 fish sank, and 2 birds")
    assert not known.shows_in("it rained\nand more")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"link": "istio#1"}, "is no public link"),
        ({"behaviour": "fish"}, "is no id of a behaviour"),
        ({"when": ("several network",)}, "did you mean several networks"),
        ({"observed": ()}, "is not said"),
        ({"observed": ("(",)}, "is no regular expression"),
        ({"observed": (".*",)}, "any failure would be a known one"),
        ({"observed": (r"[^x]+|.*such as.*",)}, "any failure would be a known one"),
    ],
)
def test_what_cannot_be_is_refused(other: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        issue(**other)


def test_an_issue_is_called_as_on_github() -> None:
    assert issue().name == "istio/istio#32819"
    assert issue(link="https://example.org/bug/7").name == "https://example.org/bug/7"
