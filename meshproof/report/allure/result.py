"""A test as Allure has it, with what is attached to it: the same during a run and afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from allure_commons.model2 import (
    ATTACHMENT_PATTERN,
    Attachment,
    Label,
    Link,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)
from allure_commons.types import LabelType, LinkType, Severity

from meshproof.model import Level, issue_name
from meshproof.report.about import istio_of
from meshproof.report.cases import Case, Said, Step
from meshproof.report.evidence import evidence_files
from meshproof.report.outcomes import KNOWN, Judged
from meshproof.report.texts import bounded, in_line, told

# KNOWN is a failure for Allure too, and marked as known: it has no other word for what was judged
# and is not kept. What is skipped there was not judged.
_STATUS = {
    "PASS": Status.PASSED,
    "FAIL": Status.FAILED,
    KNOWN: Status.FAILED,
    "INCONCLUSIVE": Status.BROKEN,
    "skipped": Status.SKIPPED,
}
_DIGITS = 32
_EPIC = "multicluster Istio"
_TEXT, _BINARY = "text/plain", "application/octet-stream"
_TYPES = {".md": "text/markdown", ".json": "application/json", ".yaml": "text/yaml"}

Attached = dict[str, bytes]
"""The content of attachments, by the names of their files."""


def result_of(case: Case) -> tuple[TestResult, Attached]:
    """The result of a test, and the files that it names."""
    one = case.judged
    result = _named(one.test, one.behaviour, str(case.folder))
    attached: Attached = {}
    result.name = in_line(f"{one.sentence} ({', '.join(_where(case))})")
    result.description = in_line(one.sentence)
    result.status = _STATUS[one.outcome]
    if one.outcome != "PASS":
        result.statusDetails = _details(one)
    result.start, result.stop = _milliseconds(case.began), _milliseconds(case.ended)
    result.labels = [Label(name, in_line(value)) for name, value in _labels(case) if value]
    result.parameters = [Parameter(n, in_line(v)) for n, v in _parameters(case) if v]
    result.links = _links(one)
    result.titlePath = [in_line(case.suite)]
    result.steps = [_step(step) for step in case.steps]
    for said in case.verdicts:
        result.steps.append(_verdict(said, result.uuid, attached))
    for name, path in evidence_files(case.folder, one.evidence):
        body = path.read_bytes()
        kind = _TYPES.get(path.suffix, _TEXT if path.suffix in (".txt", ".log") else _BINARY)
        result.attachments.append(_attach(f"evidence: {name}", kind, body, result.uuid, attached))
    return result, attached


def lacking_result(test: str, why: str) -> TestResult:
    """The result of a test that was planned and never run."""
    result = _named(test, "not run", "")
    result.name, result.status = in_line(test), Status.UNKNOWN
    result.statusDetails = StatusDetails(message=f"not run: {in_line(why)}")
    return result


def _named(test: str, behaviour: str, place: str) -> TestResult:
    """Results of one test in several runs have one history; of one behaviour, one test case."""
    return TestResult(
        uuid=str(uuid5(NAMESPACE_URL, f"{_digest(place)} {_digest(test)}")),
        historyId=_digest(test),
        testCaseId=_digest(behaviour),
        fullName=in_line(test),
    )


def _digest(text: str) -> str:
    data = text.encode(errors="backslashreplace")
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def _where(case: Case) -> list[str]:
    return [one for one in (case.judged.deployment, case.called_from) if one]


def _details(one: Judged) -> StatusDetails:
    """Messages begin with the outcome, by which categories find them."""
    shown = [issue for issue in one.known_issues if issue.shows]
    names = [f"{issue_name(issue.link)}: {issue.seen}" for issue in shown]
    first = "; ".join(names) or one.cause or one.why.removeprefix(f"{one.outcome}: ")
    return StatusDetails(
        known=one.outcome == KNOWN,
        message=f"{one.outcome}: {in_line(first)}",
        trace=bounded(one.why),
    )


def _labels(case: Case) -> Iterable[tuple[str, str]]:
    """What Allure sorts tests by. The machine's name is none of them."""
    one = case.judged
    yield LabelType.EPIC, _EPIC
    yield LabelType.FEATURE, "sabotage" if case.is_sabotage else case.feature or "of no feature"
    yield LabelType.STORY, one.behaviour
    yield LabelType.PARENT_SUITE, case.on.get("topology") or one.deployment
    yield LabelType.SUITE, case.suite
    yield LabelType.SUB_SUITE, one.deployment
    is_core = case.level != Level.EXTENDED
    yield LabelType.SEVERITY, (Severity.CRITICAL if is_core else Severity.NORMAL).value
    yield LabelType.TAG, case.level
    for issue in one.known_issues:
        yield LabelType.TAG, issue_name(issue.link)
    for proven in case.proves:
        yield LabelType.TAG, f"proves {proven}"
    yield LabelType.THREAD, case.worker or "the only worker"
    yield LabelType.FRAMEWORK, "meshproof"
    yield LabelType.LANGUAGE, "python"
    yield "package", f"suites.{case.suite}"


def _parameters(case: Case) -> Iterable[tuple[str, str]]:
    on = case.on
    # Allure takes two tests of one behaviour for two tries of one, unless a parameter differs.
    yield "test", case.judged.test.partition("[")[2].removesuffix("]")
    yield "deployment", case.judged.deployment
    yield "Istio", istio_of(on)
    yield "Kubernetes", on.get("kubernetes", "")
    yield "mTLS", on.get("mtls", "")
    yield "variants", ", ".join(on.get("variants", ()))
    yield "installer", on.get("installer", "")
    yield "wiring", on.get("wiring", "")
    yield "clusters", case.called_from


def _links(one: Judged) -> list[Link]:
    """Those to known issues. A record from elsewhere may say something that is no link."""
    return [
        Link(LinkType.ISSUE, in_line(issue.link), in_line(issue_name(issue.link)))
        for issue in one.known_issues
        if issue.link.startswith("https://")
    ]


def _step(step: Step) -> TestStepResult:
    made = TestStepResult(
        name=in_line(step.name),
        status=Status.PASSED if step.outcome == "ok" else Status.BROKEN,
        start=_milliseconds(step.began),
        stop=_milliseconds(step.ended),
        parameters=[Parameter(name, in_line(value)) for name, value in step.about.items()],
        steps=[_step(part) for part in step.steps],
    )
    if step.outcome != "ok":
        message = bounded(step.outcome, 1000) if step.outcome else "did not end"
        made.statusDetails = StatusDetails(message=message)
    return made


def _verdict(said: Said, owner: str, attached: Attached) -> TestStepResult:
    at = _milliseconds(said.at)
    name = f"{said.outcome}: expected {said.expected}; observed {said.observed}"
    made = TestStepResult(name=in_line(name), status=_STATUS[said.outcome], start=at, stop=at)
    if said.evidence:
        body = bounded(told(said)).encode()
        made.attachments.append(_attach("verdict", _TEXT, body, owner, attached))
    return made


def _attach(name: str, kind: str, body: bytes, owner: str, attached: Attached) -> Attachment:
    prefix = uuid5(NAMESPACE_URL, f"{owner} {len(attached)}")
    ending = Path(name).suffix.removeprefix(".") or "txt"
    source = ATTACHMENT_PATTERN.format(prefix=prefix, ext=ending if ending.isalnum() else "txt")
    attached[source] = body
    return Attachment(name=in_line(name), source=source, type=kind)


def _milliseconds(at: float) -> int:
    return round(at * 1000)
