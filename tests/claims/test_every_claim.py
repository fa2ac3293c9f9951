"""Every claim of every suite is seen to pass, to fail and to be unclear, without clusters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from meshproof.expect import Outcome, Verdict
from meshproof.resources import resource
from tests.claims.table import Case

CONTROL = "a control: where it does not hold, that is unclear, and nothing has failed"
WHOLE = "what it looks at is read whole, or an error is raised, which makes the test unclear"
FAILURE = "it is what a claim that fails says"
# What a claim cannot come to, and why.
EXCEPTIONS = {
    ("suites.cleanup.claims.nothing_remains", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.identities.claims.primaries_are_siblings", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.machines.membership_claims.names_are_answered", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.machines.membership_claims.registered", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.newcomers.claims.root_is_told", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.revisions.claims.sidecars_follow", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.secrets.claims.came_back", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.secrets.claims.not_forgotten", Outcome.INCONCLUSIVE): FAILURE,
    ("suites.secrets.claims.not_forgotten", Outcome.PASS): FAILURE,
    ("suites.secrets.claims.forgotten_too", Outcome.INCONCLUSIVE): FAILURE,
    ("suites.secrets.claims.forgotten_too", Outcome.PASS): FAILURE,
    ("suites.upgrade.claims.new_pods_are_injected", Outcome.INCONCLUSIVE): WHOLE,
    ("suites.weight.claims.weights_follow", Outcome.INCONCLUSIVE): WHOLE,
    (
        "suites.gateways.claims.the_workload_shows_its_own_certificate",
        Outcome.INCONCLUSIVE,
    ): WHOLE,
    ("suites.ambient.claims.settings_took_effect", Outcome.FAIL): CONTROL,
    ("suites.cleanup.claims.witnesses_see_it", Outcome.FAIL): CONTROL,
    ("suites.cleanup.claims.more_is_held", Outcome.FAIL): CONTROL,
    ("suites.federation.claims.has_another_root", Outcome.FAIL): CONTROL,
    ("suites.identities.announced.answered_as", Outcome.FAIL): CONTROL,
    ("suites.local.claims.others_would_answer", Outcome.FAIL): CONTROL,
    ("suites.machines.tokens_claims.good_but_for_its_time", Outcome.FAIL): CONTROL,
    ("suites.mtls.modes.answered_from_the_other_network", Outcome.FAIL): CONTROL,
    ("suites.mtls.modes.crosses_by_the_gateway", Outcome.FAIL): CONTROL,
    ("suites.mtls.outsiders.no_service_names_the_port", Outcome.FAIL): CONTROL,
    ("suites.outage.claims.was_missing", Outcome.FAIL): CONTROL,
    ("suites.resilience.absent.tried_again", Outcome.FAIL): CONTROL,
    ("suites.rest.claims.went_on", Outcome.FAIL): CONTROL,
    ("suites.roots.claims.roots_are_unrelated", Outcome.FAIL): CONTROL,
    ("suites.scope.policies.without_them", Outcome.FAIL): CONTROL,
}

# Claims of what was seen on bare clusters: tests/suites/ has their tables.
BARE = {
    "suites.isolation.every_node.every_node_is_reached",
    "suites.isolation.every_node.no_node_is_reached",
}


def modules(package: str, folder: Path) -> Iterator[str]:
    """The modules of a package, those of its own packages included, by their full names."""
    for one in iter_modules([str(folder)]):
        name = f"{package}.{one.name}"
        yield from modules(name, folder / one.name) if one.ispkg else [name]


def named(function: Callable[..., object]) -> str:
    return f"{function.__module__}.{function.__name__}"


def claims() -> set[str]:
    """The functions of suites that return a verdict, but for what only they themselves use."""
    found = set()
    for name in modules("suites", Path(resource("suites"))):
        _, suite, module = name.split(".")
        if suite != "sabotage" and not module.startswith(("test_", "conftest")):
            for _, function in inspect.getmembers(import_module(name), inspect.isfunction):
                public = function.__module__ == name and not function.__name__.startswith("_")
                if public and inspect.get_annotations(function, eval_str=True)["return"] is Verdict:
                    found.add(named(function))
    return found


def judged() -> set[tuple[str, Outcome]]:
    """What the tables of this folder see claims come to."""
    found = set()
    for one in iter_modules([str(Path(__file__).parent)]):
        if one.name.startswith("test_") and one.name != "test_every_claim":
            for table in vars(import_module(f"tests.claims.{one.name}")).values():
                lines = table if isinstance(table, list) else []
                found |= {
                    (named(line.claim), line.told.outcome)
                    for line in lines
                    if isinstance(line, Case)
                }
    return found


def test_every_claim_is_seen_to_come_to_each_outcome() -> None:
    found = claims()
    assert len(found) > 50
    due = {(claim, outcome) for claim in found - BARE for outcome in Outcome}
    missing = due - judged() - EXCEPTIONS.keys()
    assert sorted(f"{claim}: {outcome.value}" for claim, outcome in missing) == []


def test_no_exception_is_made_without_need() -> None:
    assert EXCEPTIONS.keys() & judged() == set()
    assert {claim for claim, _ in EXCEPTIONS} <= claims()
