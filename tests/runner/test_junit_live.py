"""Results for CI systems as a run ends: the same as are rendered of its record afterwards."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from meshproof.events import read
from meshproof.report.junit import document
from meshproof.report.record import Record, Run
from tests.runner.test_allure_live import ASKED
from tests.runner.test_recording import BODY, run


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_is_written_as_the_run_ends_is_what_is_rendered_later(
    pytester: pytest.Pytester, workers: str
) -> None:
    file = pytester.path / "public" / "junit.xml"
    file.parent.mkdir()
    run(pytester, BODY, *ASKED, workers, f"--meshproof-junitxml={file}")
    (record,) = pytester.path.glob("reports/*/events.jsonl")
    assert file.read_text() == document(Record((Run(record.parent, read(record)),)))
    assert len(Xml.parse(file).getroot().findall("testsuite/testcase")) == 5


def test_a_file_that_cannot_be_written_is_told_and_changes_nothing(
    pytester: pytest.Pytester,
) -> None:
    ended = run(pytester, BODY, *ASKED)
    file = pytester.path / "nowhere" / "junit.xml"
    again = run(pytester, BODY, *ASKED, f"--meshproof-junitxml={file}")
    assert again.ret == ended.ret and not file.exists()
    again.stderr.fnmatch_lines([f"{file} is not there: *"])


def test_pytests_own_results_say_which_behaviour_was_judged_on_what(
    pytester: pytest.Pytester,
) -> None:
    run(pytester, BODY + "\ndef test_plain():\n    pass\n", *ASKED, "--junitxml=own.xml")
    found = {}
    for case in Xml.parse(pytester.path / "own.xml").getroot().iter("testcase"):
        properties = {one.get("name"): one.get("value") for one in case.iter("property")}
        found[case.get("name", "")] = properties
    assert found.pop("test_plain") == {}
    assert len(found) == 5
    for name, properties in found.items():
        assert set(properties) == {"behaviour", "deployment"} and properties["deployment"] in name
