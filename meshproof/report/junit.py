"""`junit.xml`: a record as CI systems read it, a suite for each deployment.

What did not hold is a failure, what could not be told an error; a failure that known issues explain
is skipped, with the issue, as pytest has it for what fails as expected: JUnit has no other word
for what was judged and does not fail a run. The form is that of pytest's own writer ("xunit1"),
which Jenkins, GitLab and the others read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from meshproof.events import Data
from meshproof.model import Policy, issue_name
from meshproof.report.about import About, about, istio_of
from meshproof.report.cases import Case, cases, not_run
from meshproof.report.causes import by_cause
from meshproof.report.formats import written
from meshproof.report.outcomes import KNOWN
from meshproof.report.record import Record
from meshproof.report.texts import bounded, in_line, moment, told

NAME = "junit.xml"
_NOT_RUN = "not run"
_ELEMENTS = {"FAIL": "failure", "INCONCLUSIVE": "error", "skipped": "skipped", KNOWN: "skipped"}
_TYPES = {KNOWN: "known-issue"}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render(record: Record, folder: Path) -> list[Path]:
    """Write the file into a folder. Raises MeshproofError when it cannot be written."""
    return [written(folder / NAME, document(record))]


def document(record: Record) -> str:
    """The document's text."""
    made_of = about(record)
    found = cases(record)
    said = _said_once(found)
    root = Xml.Element("testsuites", name="meshproof")
    for name, own in _by_deployment(found).items():
        suite = _suite(root, name, min(one.began for one in own))
        _properties(suite, _versions(own[0].on, made_of))
        for case in own:
            _add(suite, case, said, made_of.policy)
        _count(suite)
    if lacking := not_run(record):
        suite = _suite(root, _NOT_RUN, made_of.began)
        _add_not_run(suite, lacking, record.ending.early)
        _count(suite)
    for name in ("tests", *_COUNTED):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _seconds(sum(one.judged.seconds for one in found)))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _by_deployment(found: Iterable[Case]) -> dict[str, list[Case]]:
    groups: dict[str, list[Case]] = {}
    for case in found:
        groups.setdefault(case.judged.deployment, []).append(case)
    return groups


def _suite(root: Xml.Element, name: str, began: float) -> Xml.Element:
    return Xml.SubElement(root, "testsuite", name=in_line(name), timestamp=moment(began)[:-1])


def _count(suite: Xml.Element) -> None:
    """Say of a suite how many tests it has, and how they ended."""
    tests = suite.findall("testcase")
    suite.set("tests", str(len(tests)))
    for name, element in _COUNTED.items():
        suite.set(name, str(sum(one.find(element) is not None for one in tests)))
    suite.set("time", _seconds(sum(float(one.get("time", "0")) for one in tests)))


def _versions(deployment: Data, made_of: About) -> dict[str, str]:
    istio = set(deployment.get("istio", {}).values())
    proxies = (f"{name} with {proxy}" for name, proxy in made_of.proxies.items() if name in istio)
    return {
        "meshproof": ", ".join(made_of.bench),
        "topology": deployment.get("topology", ""),
        "istio": istio_of(deployment),
        "kubernetes": deployment.get("kubernetes", ""),
        "mtls": deployment.get("mtls", ""),
        "variants": ", ".join(deployment.get("variants", ())),
        "installer": deployment.get("installer", ""),
        "wiring": deployment.get("wiring", ""),
        "proxies": "; ".join(proxies),
        "engine": ", ".join(made_of.engines),
    }


def _add(
    suite: Xml.Element, case: Case, said: Mapping[str, tuple[str, str]], policy: Policy
) -> None:
    one = case.judged
    test = _test(suite, one.test, one.behaviour, one.seconds)
    links = [issue.link for issue in one.known_issues if issue.shows]
    properties = {
        "behaviour": one.behaviour,
        "sentence": one.sentence,
        "deployment": one.deployment,
        "istio": istio_of(case.on),
        "level": case.level,
        "feature": case.feature,
        "clusters": case.called_from,
        "proves": ", ".join(case.proves),
        "known-issue": ", ".join(links),
        "evidence": ", ".join(one.evidence),
    }
    _properties(test, properties)
    if one.outcome != "PASS":
        kind = "failure" if one.outcome == KNOWN and policy is Policy.FAIL else None
        message, text = said[one.test]
        element = Xml.SubElement(
            test,
            kind or _ELEMENTS[one.outcome],
            message=in_line(message),
            type=_TYPES.get(one.outcome, one.outcome),
        )
        element.text = bounded(text)
    if case.verdicts:
        out = Xml.SubElement(test, "system-out")
        out.text = bounded("\n".join(map(told, case.verdicts)))


def _add_not_run(suite: Xml.Element, tests: Sequence[str], early: str | None) -> None:
    """Tests without any outcome are errors: who reads no more than the counts must see them."""
    why = early or "The run came to its end without it."
    for number, name in enumerate(tests):
        test = _test(suite, name, _NOT_RUN, 0.0)
        error = Xml.SubElement(test, "error", message="planned, and not run", type=_NOT_RUN)
        error.text = f"as {in_line(tests[0])}" if number else bounded(why)


def _test(suite: Xml.Element, test: str, behaviour: str, seconds: float) -> Xml.Element:
    """A test case, named by what stays: behaviour, and the parameters of the test's id."""
    function, _, parameters = test.partition("[")
    file, _, name = function.partition("::")
    name = name if behaviour == _NOT_RUN else behaviour
    return Xml.SubElement(
        suite,
        "testcase",
        classname=in_line(behaviour.replace("/", ".")),
        name=in_line(f"{name}[{parameters}" if parameters else name),
        file=in_line(file),
        time=_seconds(seconds),
    )


def _properties(parent: Xml.Element, given: Mapping[str, str]) -> None:
    """Those that say something."""
    properties = Xml.SubElement(parent, "properties")
    for name, value in given.items():
        if value:
            Xml.SubElement(properties, "property", name=name, value=in_line(value))


def _said_once(found: Iterable[Case]) -> dict[str, tuple[str, str]]:
    """For each test that did not hold a message and a text; of those with one cause only the
    first has its text, and the others name that test."""
    texts: dict[str, tuple[str, str]] = {}
    for cause in by_cause(one.judged for one in found if one.judged.outcome != "PASS"):
        first = cause.tests[0]
        for one in cause.tests:
            issues = [issue_name(each.link) for each in one.known_issues if each.shows]
            known = f"known issue {', '.join(issues)}: " if one.outcome == KNOWN else ""
            said = f"{cause.text}\n{one.why}" if cause.unjudged else one.why
            texts[one.test] = (known + cause.text, said if one is first else f"as {first.test}")
    return texts


def _seconds(number: float) -> str:
    return f"{number:.3f}"
