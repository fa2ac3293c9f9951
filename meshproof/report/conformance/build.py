"""Makes a conformance report of a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meshproof.events import Data
from meshproof.model import FEATURES, Level, Profile, issue_name
from meshproof.model.request import in_short
from meshproof.report.about import About, about
from meshproof.report.cases import Case, cases, not_run
from meshproof.report.conformance.result import (
    COULD_NOT_TELL,
    COUNTED,
    FAILED,
    HELD,
    KNOWN_ISSUES,
    NOT_RUN,
    SKIPPED,
    Result,
    in_all,
    result_of,
)
from meshproof.report.known import Mended, mended_in
from meshproof.report.outcomes import KNOWN
from meshproof.report.record import Record
from meshproof.report.texts import in_line, moment

API_VERSION, KIND = "meshproof/v1", "ConformanceReport"
MODE = "sidecar"
"""How the mesh takes part in calls. All topologies are of sidecars."""
CORE, OTHER = "core", "other"
_OWN = ("multi-network", "flat-network", "isolation", "federation", "machines", "change")
"""The features that are profiles of their own: not every mesh has them. All others are the
profile CORE; what is of no feature is OTHER."""
PROFILES = (CORE, *_OWN, OTHER)
_COUNTED = {
    "PASS": HELD,
    "FAIL": FAILED,
    KNOWN: KNOWN_ISSUES,
    "INCONCLUSIVE": COULD_NOT_TELL,
    "skipped": SKIPPED,
}
_REASON = 500


def report_of(record: Record) -> Data:
    """The report, as what YAML or JSON can hold; ``schema.json`` describes it."""
    made_of, found = about(record), cases(record)
    lacking, lost = _attributed(not_run(record), found)
    whole = not lost and record.ending.early is None
    profiles = [_profile(name, found, lacking, whole=whole) for name in PROFILES]
    sabotage = _level([one for one in found if one.is_sabotage], _lacking(lacking, None), whole)
    results = [Result(one[level]["result"]) for one in profiles for level in Level]
    trusted = sabotage["result"] in (Result.SUCCESS, Result.NOT_JUDGED)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "date": moment(made_of.ended),
        "result": in_all(results, whole=whole and trusted).value,
        "summary": in_line(record.ending.tally.line(record.ending.exit_code)),
        "implementation": _implementation(made_of),
        "bench": {"project": "meshproof", "versions": _lines(made_of.bench)},
        "kubernetes": _lines(made_of.kubernetes),
        "engines": _lines(made_of.engines),
        "mode": MODE,
        "scope": _scope(record, made_of),
        "deployments": [_deployment(one) for one in made_of.deployments],
        "profiles": profiles,
        "sabotage": sabotage,
        "notApplicable": _not_applicable(record, found),
        "notRun": [{"test": in_line(test, _REASON), "reason": _why(record)} for test in lost],
        "mended": [_mended(one) for one in mended_in(record.outcomes)],
    }


def _implementation(made_of: About) -> Data:
    return {
        "organization": "istio",
        "project": "istio",
        "url": "https://istio.io",
        "versions": _lines(made_of.istio),
        "proxies": [
            {"istio": in_line(istio), "proxy": in_line(proxy)}
            for istio, proxy in made_of.proxies.items()
        ],
        "filtersOff": _lines(made_of.filters_off),
        "artifacts": [
            {"source": in_line(source), "digest": in_line(digest)}
            for digest, source in made_of.artifacts.items()
        ],
    }


def _scope(record: Record, made_of: About) -> Data:
    """What was asked for: a report of one test is none of an Istio."""
    asked = made_of.requests
    only = [str(one["only"]) for one in asked if one.get("only") is not None]
    levels = [one["profile"] for one in asked if one.get("profile") in list(Profile)]
    return {
        "runs": len(record.runs),
        "levels": _lines(dict.fromkeys(levels)),
        "only": _lines(dict.fromkeys(only)),
        "inShort": any(map(in_short, asked)),
        "complete": record.ending.early is None,
    }


def _deployment(one: Data) -> Data:
    return {
        "name": in_line(one["id"]),
        "topology": in_line(one.get("topology", "")),
        "istio": {in_line(name): in_line(which) for name, which in one.get("istio", {}).items()},
        "kubernetes": in_line(one.get("kubernetes", "")),
        "mtls": in_line(one.get("mtls", "")),
        "variants": _lines(one.get("variants", ())),
    }


def _profile(name: str, found: Sequence[Case], lacking: Mapping[str, Case], *, whole: bool) -> Data:
    """One profile, with its two levels."""
    made: Data = {"name": name}
    for level in Level:
        key = (name, level.value)
        own = [one for one in found if not one.is_sabotage and _place(one) == key]
        made[level.value] = _level(own, _lacking(lacking, key), whole)
    return made


def _place(case: Case) -> tuple[str, str]:
    """The profile and the level of a test."""
    level = Level.EXTENDED if case.level == Level.EXTENDED else Level.CORE
    if case.feature not in FEATURES:
        return OTHER, level.value
    return (case.feature if case.feature in _OWN else CORE), level.value


def _level(own: Sequence[Case], lacking: Mapping[str, Case], whole: bool) -> Data:
    """What a level came to: counts of tests, and every one of them that did not hold."""
    counts = Counter(_COUNTED[one.judged.outcome] for one in own)
    counts[NOT_RUN] = len(lacking)
    statistics = {name: counts[name] for name in COUNTED}
    behaviours: dict[str, list[str]] = {}
    for one in own:
        behaviours.setdefault(one.judged.behaviour, []).append(one.judged.outcome)
    held = [name for name, outcomes in behaviours.items() if set(outcomes) == {"PASS"}]
    return {
        "result": result_of(statistics, whole=whole).value,
        "statistics": statistics,
        "held": _lines(held),
        "failed": _listed(own, "FAIL"),
        "knownIssues": _known(own),
        "couldNotTell": _listed(own, "INCONCLUSIVE"),
        "skipped": _listed(own, "skipped"),
        "notRun": [
            {"behaviour": in_line(like.judged.behaviour), "test": in_line(test, _REASON)}
            for test, like in lacking.items()
        ],
    }


def _listed(own: Iterable[Case], outcome: str) -> list[Data]:
    """The tests of an outcome, those of one behaviour on one deployment together, with the reason
    that the first of them has."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for one in own:
        if one.judged.outcome == outcome:
            groups.setdefault((one.judged.behaviour, one.judged.deployment), []).append(one)
    return [
        {
            "behaviour": in_line(behaviour),
            "deployment": in_line(deployment),
            "tests": len(group),
            "reason": in_line(group[0].judged.cause or group[0].judged.why, _REASON) or "not said",
        }
        for (behaviour, deployment), group in groups.items()
    ]


def _known(own: Iterable[Case]) -> list[Data]:
    """The known issues that showed, with where. A test counts with the first that explains it."""
    groups: dict[tuple[str, str, str], list[Case]] = {}
    for one in own:
        shown = [issue for issue in one.judged.known_issues if issue.shows]
        if one.judged.outcome == KNOWN:
            link, seen = (shown[0].link, shown[0].seen) if shown else ("", "")
            groups.setdefault((link, seen, one.judged.behaviour), []).append(one)
    return [
        {
            "issue": in_line(issue_name(link)) or "not said",
            "link": in_line(link),
            "seen": in_line(seen, _REASON),
            "behaviour": in_line(behaviour),
            "deployments": _lines(dict.fromkeys(one.judged.deployment for one in group)),
            "tests": len(group),
        }
        for (link, seen, behaviour), group in groups.items()
    ]


def _not_applicable(record: Record, found: Iterable[Case]) -> list[Data]:
    """What does not apply: where the table of a run says so, and all of what is judged nowhere."""
    judged = {one.judged.behaviour for one in found}
    groups: dict[tuple[str, str], dict[str, None]] = {}
    for one in record.left_out:
        if one.told or one.behaviour not in judged:
            groups.setdefault((one.behaviour, one.reason), {})[one.deployment] = None
    return [
        {
            "behaviour": in_line(behaviour),
            "reason": in_line(reason, _REASON) or "not said",
            "deployments": _lines(deployments),
        }
        for (behaviour, reason), deployments in groups.items()
    ]


def _mended(one: Mended) -> Data:
    return {
        "issue": in_line(issue_name(one.issue.link)),
        "link": in_line(one.issue.link),
        "behaviours": _lines(one.behaviours),
        "deployments": _lines(one.deployments),
    }


def _attributed(tests: Iterable[str], found: Iterable[Case]) -> tuple[dict[str, Case], list[str]]:
    """Tests that were not run, with one of the same function, whose behaviour theirs is; and those
    of which nothing is known."""
    functions = {_function(one.judged.test): one for one in found}
    known: dict[str, Case] = {}
    unknown: list[str] = []
    for test in tests:
        like = functions.get(_function(test))
        if like is None:
            unknown.append(test)
        else:
            known[test] = like
    return known, unknown


def _lacking(lacking: Mapping[str, Case], place: tuple[str, str] | None) -> dict[str, Case]:
    """Those of a profile and level; those of sabotage for None."""
    return {
        test: like
        for test, like in lacking.items()
        if (None if like.is_sabotage else _place(like)) == place
    }


def _function(test: str) -> str:
    return test.partition("[")[0]


def _why(record: Record) -> str:
    return in_line(record.ending.early or "The run came to its end without it.", _REASON)


def _lines(texts: Iterable[Any]) -> list[str]:
    return [in_line(str(text)) for text in texts]
