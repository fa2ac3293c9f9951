"""One test of an earlier run, asked for again: on the same deployment, of the same artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from meshproof.errors import UsageError
from meshproof.events import Data, Event
from meshproof.files import topology_names
from meshproof.model import InstalledBy, Profile, RunRequest
from meshproof.model.request import of_all_rounds, once_more
from meshproof.paths import named
from meshproof.report.record import RECORD, Run, run_named
from meshproof.run.again import requested

_WHAT = "a run's folder, or a report's file"
_WORST_FIRST = ("FAIL", "INCONCLUSIVE", "KNOWN", "skipped", "PASS")
_IN_REPORTS = (("failed", "FAIL"), ("couldNotTell", "INCONCLUSIVE"))
_NEVER = ("PASS", "KNOWN", "skipped")
"""What is repeated only when it is named."""
_REVISION = "+rev-"
_SHOWN = 3


@dataclass(frozen=True)
class Found:
    """``test``: its id, or that of its behaviour, where the file tells no more; ``deployment``:
    what it ran on, as a record has it; ``made_of``: the digest of each part of the artifacts;
    ``request``: what asks for it again, on a lab that is kept."""

    test: str
    deployment: str
    outcome: str
    request: RunRequest
    made_of: Mapping[str, str]


def find(word: str, test: str | None) -> Found:
    """The test of a run, or of a report, that is to be made again: the one named by its id or its
    behaviour's, else the first that failed, else the first that could not be told.

    ``word``: a run's folder, a file in it, or a conformance report. Raises UsageError for what is
    none of these, and where there is no such test.
    """
    path = named(_WHAT, word)
    if path.is_file() and path.name != RECORD:
        if not (path.parent / RECORD).exists():
            return _in_report(path, test)
        path = path.parent
    return _in_run(run_named(str(path)), test)


def _in_run(run: Run, test: str | None) -> Found:
    ended = [one for one in run.events if one.kind == "test"]
    chosen = _chosen(
        [(one.data["outcome"], one.data["test"], one.data["behaviour"], one) for one in ended],
        test,
        str(run.folder),
    )
    data, before = chosen.data, requested(run)
    made = _made_of(run)
    identity = of_all_rounds(data["test"])
    request = _request(once_more(before, identity, None), data["deployment"], made.get("source"))
    return Found(
        identity, data["deployment"]["id"], data["outcome"], request, made.get("parts", {})
    )


def _in_report(path: Path, test: str | None) -> Found:
    # jsonschema, which that needs, takes a third of a second to load.
    from meshproof.report.conformance.check import faults, read

    report = read(path)
    wrong = faults(report)
    if wrong:
        raise UsageError(wrong[0].rstrip("."), f"name {_WHAT}")
    content: Data = report.content
    listed = list(_listed(content))
    behaviour, deployment, outcome = _chosen(
        [(outcome, one, one, (one, where, outcome)) for one, where, outcome in listed],
        test,
        str(path),
    )
    about = next((one for one in content["deployments"] if one["name"] == deployment), None)
    if about is None:
        raise UsageError(f"{path} does not say what {deployment} is", "name the run's folder")
    sources = [one["source"] for one in content["implementation"]["artifacts"]]
    asked = once_more(RunRequest(), behaviour, None)
    told = {
        **about,
        "id": deployment,
        "revision": _revision(deployment),
        "installer": _installer(deployment),
    }
    request = _request(asked, told, sources[0] if len(sources) == 1 else None)
    return Found(behaviour, deployment, outcome, request, {})


def _listed(content: Data) -> Iterator[tuple[str, str, str]]:
    """Behaviour, deployment and outcome of all that a report tells of as not held."""
    levels = [profile[level] for profile in content["profiles"] for level in ("core", "extended")]
    for level in [*levels, content["sabotage"]]:
        for name, outcome in _IN_REPORTS:
            for one in level[name]:
                yield one["behaviour"], one["deployment"], outcome


def _chosen(ended: list[tuple[str, str, str, Any]], test: str | None, where: str) -> Any:
    """Of tests, each with outcome, id and behaviour, the worst that is meant."""
    meant = ended
    if test is not None:
        meant = [one for one in ended if test in (one[1], one[2]) or of_all_rounds(one[1]) == test]
        if not meant:
            known = list(dict.fromkeys([*(one[1] for one in ended), *(one[2] for one in ended)]))
            near = [one for one in known if test and test in one]
            near = near or get_close_matches(test, known, n=_SHOWN, cutoff=0.5)
            remedy = f"did you mean {' or '.join(near[:_SHOWN])}" if near else "see its report"
            raise UsageError(f"there is no test or behaviour '{test}' in {where}", remedy)
    else:
        meant = [one for one in ended if one[0] not in _NEVER]
        if not meant:
            raise UsageError(
                f"nothing failed in {where}, and all could be told", "name one of its tests"
            )
    return min(meant, key=lambda one: _WORST_FIRST.index(one[0]))[3]


def _request(asked: RunRequest, deployment: Data, source: str | None) -> RunRequest:
    """The request for one test, narrowed to the deployment that it ran on, of artifacts of the
    same source."""
    # What lies in an Istio source tree is what is built of it; a version cannot be named then.
    own_tree = asked.checkout is not None
    request = replace(
        asked,
        deployment=(deployment["id"],),
        kubernetes=deployment["kubernetes"] or asked.kubernetes,
        artifacts=asked.artifacts or (source if source != "checkout" or own_tree else None),
    )
    if not deployment.get("topology"):
        return request  # clusters without a mesh
    istio = ",".join(f"{name}={version}" for name, version in deployment["istio"].items())
    own = deployment["topology"] not in topology_names()
    # The revision of an upgrade is its own, and how it goes is asked for already.
    upgraded = deployment.get("upgrade") is not None
    return replace(
        request,
        topology=() if own else (deployment["topology"],),
        topology_file=asked.topology_file if own else (),
        mtls=(deployment["mtls"],),
        variant=() if upgraded else tuple(deployment["variants"]),
        revision=None if upgraded else deployment["revision"] or None,
        # Of records from before there was a choice, istioctl's is known.
        installer=deployment.get("installer", InstalledBy.ISTIOCTL.value),
        istio=() if own_tree else (istio,),
        profile=Profile.CORE.value,
    )


def _revision(deployment: str) -> str:
    """The revision's name, which a report has in the deployment's alone."""
    _, found, rest = deployment.partition(_REVISION)
    return rest.partition("+")[0] if found else ""


def _installer(deployment: str) -> str:
    """What has installed a deployment, which a report has in its name alone."""
    words = deployment.split("+")
    return next((one for one in InstalledBy if one in words), InstalledBy.ISTIOCTL).value


def _made_of(run: Run) -> Data:
    events: list[Event] = [one for one in run.events if one.kind == "artifacts"]
    return events[0].data if events else {}
