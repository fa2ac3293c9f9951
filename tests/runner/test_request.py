"""What pytest is asked for: by a file, by its own options, and by none of them."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.model import RunRequest
from meshproof.model.request import OPTIONS, PYTESTS
from meshproof.run.selection import Selection
from meshproof.runner.ending import again
from meshproof.runner.stash import LABS, SELECTION

HEAD = """
import os
import pytest
from meshproof.expect import Outcome, Verdict
from meshproof.runner.options import request_of

@pytest.fixture
def lab(request):
    return request.param

@pytest.fixture
def sample(request):
    return request.param

PASS, FAIL = Verdict(Outcome.PASS, "this", "that"), Verdict(Outcome.FAIL, "this", "that")
ON = pytest.mark.bare_lab("east,west", "isolated")
"""
LAKE = """
@ON
@pytest.mark.parametrize("number", range(2))
def test_a(lab, judge, pytestconfig, number):
    assert request_of(pytestconfig).enforce
    judge(PASS)

@ON
def test_b(lab, judge):
    judge(FAIL)
"""
FLAT = "primary-remote-flat"
CALM = "--meshproof-topology=bare"


def lay(pytester: pytest.Pytester, body: str, **request: object) -> Path:
    """A suite in the folder lake, and a request for it."""
    lake = pytester.mkdir("lake")
    (lake / "test_lake.py").write_text(HEAD + body)
    said = {"suites": ["lake"], "topology": ["bare"], "workers": "1", **request}
    path = pytester.path / "request.json"
    path.write_text(json.dumps(said))
    return path


def events(pytester: pytest.Pytester, kind: str) -> list[dict[str, object]]:
    (path,) = pytester.path.glob("reports/*/events.jsonl")
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return [one for one in found if one["kind"] == kind]


def listed(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_file_names_suites_and_workers_and_the_run_is_told_as_verify_tells_it(
    pytester: pytest.Pytester, workers: str
) -> None:
    file = lay(pytester, LAKE, workers=workers, enforce=True)
    done = pytester.runpytest_subprocess("--meshproof-request", file, timeout=120)
    assert done.ret == 1
    done.stdout.fnmatch_lines(["FAILED: 2 of 3 held; 1 failed, 0 could not tell, 0 not run"])
    (begin,) = events(pytester, "run-begin")
    asked = begin["request"]
    assert isinstance(asked, dict)
    assert (asked["suites"], asked["workers"], asked["enforce"]) == (["lake"], workers, True)
    assert asked["reports"] == str(pytester.path / "reports")
    assert len(events(pytester, "test")) == 3
    assert all(("worker" in one) is (workers == "2") for one in events(pytester, "test"))


def test_workers_get_the_request_and_not_the_options(pytester: pytest.Pytester) -> None:
    body = """
@ON
def test_a(lab, judge, pytestconfig):
    assert pytestconfig.workerinput["meshproof_request"].startswith("/proc/")
    request = request_of(pytestconfig)
    assert (request.topology, request.workers) == (("bare",), "2")
    judge(PASS)
"""
    lay(pytester, body)
    asked = ("--meshproof-conformance", CALM, "-n2", "lake")
    assert pytester.runpytest_subprocess(*asked, timeout=120).ret == 0


def test_a_file_does_in_an_empty_folder_what_verify_does(pytester: pytest.Pytester) -> None:
    file = pytester.path / "request.json"
    file.write_text(json.dumps({"topology": [FLAT], "workers": "1"}))
    by_file = pytester.runpytest_subprocess("--meshproof-request", file, "--collect-only", "-q")
    verify = ("-m", "meshproof", "verify", FLAT, "--collect-only")
    by_verify = pytester.run(sys.executable, *verify)
    assert by_file.ret == by_verify.ret == 0
    assert len(listed(by_file)) > 50
    assert listed(by_file) == listed(by_verify)
    assert all(one.startswith("suites/") for one in listed(by_file))
    told = "* tests would run, on * deployments."
    by_file.stdout.fnmatch_lines([told])
    by_verify.stdout.fnmatch_lines([told])
    # One of them alone is found by its id there.
    file.write_text(json.dumps({"only": listed(by_file)[0]}))
    alone = pytester.runpytest_subprocess("--meshproof-request", file, "--collect-only", "-q")
    assert listed(alone) == listed(by_file)[:1]


def test_plain_pytest_has_the_defaults_of_verify(pytester: pytest.Pytester) -> None:
    body = """
def test_a(sample): pass

@ON
def test_b(lab): pass
"""
    lay(pytester, body)
    plain = pytester.runpytest_subprocess("lake", "--collect-only", "-q")
    file = pytester.path / "request.json"
    file.write_text(json.dumps({"suites": ["lake"]}))
    asked = pytester.runpytest_subprocess("--meshproof-request", file, "--collect-only", "-q")
    assert listed(plain) == listed(asked)
    topologies = {one.partition("[")[2].partition("+")[0] for one in listed(plain)}
    assert "mixed-networks" in topologies and "zones" not in topologies
    assert not [one for one in listed(plain) if "test_b" in one]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--meshproof-mtls=strict"], "--meshproof-mtls would change it"),
        (["--meshproof-keep", "-n2"], "--meshproof-keep and -n would change it"),
        (["."], "request.json, and . would change it: leave that out, or write it into"),
    ],
)
def test_what_is_said_beside_a_file_is_refused(
    pytester: pytest.Pytester, options: list[str], said: str
) -> None:
    file = lay(pytester, LAKE)
    result = pytester.runpytest_inprocess("--meshproof-request", file, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: what is asked for is in *{said}*"])
    assert len([line for line in result.errlines if line]) == 1


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"topolgy": []}, "has the key 'topolgy', which there is not: did you mean topology*"),
        ({"topology": ["nowhere"]}, "there is no topology 'nowhere': choose one of *"),
        ({"keep": True, "workers": "2"}, "--keep is about one lab, and each of 2 workers has *"),
        ({"workers": "none"}, "--workers is 'none': give a number from 1, or auto.*"),
        ({"topology": [FLAT], "pool": "10.213.0.0/24"}, "*holds 1 network, and a lab needs 2*"),
        ({"kubernetes": "abc"}, "'abc' is no version of Kubernetes*"),
        ({"suites": ["nowhere"]}, "file or directory not found: nowhere"),
    ],
)
def test_a_file_that_asks_for_what_cannot_be(
    pytester: pytest.Pytester, request_: dict[str, object], said: str
) -> None:
    file = pytester.path / "request.json"
    file.write_text(json.dumps(request_))
    result = pytester.runpytest_inprocess("--meshproof-request", file)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *{said}"])
    assert not list(pytester.path.glob("reports/*/events.jsonl"))


def test_open_versions_and_builds_of_ones_own_are_pytests_options_as_well(
    pytester: pytest.Pytester,
) -> None:
    body = f"""
{HEAD}
def test_a(sample):
    pass
"""
    pytester.mkdir("lake").joinpath("test_lake.py").write_text(body)
    topology = f"--meshproof-topology={FLAT}"
    listing = ("lake", topology, "--collect-only", "-q")
    newest = pytester.runpytest_subprocess(
        *listing, "--meshproof-istio=latest", "--meshproof-artifacts=built"
    )
    newest.stderr.fnmatch_lines(["Istio latest is 1.31.1, by what can be built here."])
    assert listed(newest) == [f"lake/test_lake.py::test_a[{FLAT}+1.31.1+strict]"]
    hub = "--meshproof-hub=registry.example/me"
    mine = pytester.runpytest_subprocess(*listing, hub, "--meshproof-tag=1.32.0-rc.1")
    assert listed(mine) == [f"lake/test_lake.py::test_a[{FLAT}+1.32.0-rc.1+strict]"]
    unsaid = pytester.runpytest_subprocess(*listing, hub, "--meshproof-tag=mine")
    unsaid.stderr.fnmatch_lines(["*the tag 'mine' is no version*add '--meshproof-istio VERSION'*"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--topology bare", "pytest has no option --topology: write --meshproof-topology."),
        ("--mtls=strict", "pytest has no option --mtls: write --meshproof-mtls."),
        ("--conformance", "pytest has no option --conformance: write --meshproof-conformance."),
        ("--full", "pytest has no option --full: write --meshproof-profile=all."),
    ],
)
def test_who_uses_a_name_without_what_it_begins_with_is_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", words)
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


def test_a_name_without_what_it_begins_with_may_be_another_plugins(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        others="def pytest_addoption(parser): parser.addoption('--engine')",
        test_it="def test_it(pytestconfig): assert pytestconfig.option.engine == 'steam'",
    )
    pytester.syspathinsert()
    assert pytester.runpytest_inprocess("-p", "others", "--engine=steam").ret == 0


def test_all_options_of_pytest_begin_alike_and_each_of_a_request_is_one(
    pytester: pytest.Pytester,
) -> None:
    manual = pytester.runpytest_inprocess("--help").stdout.str()
    ours = manual.partition("meshproof:\n")[2].partition("\n\n")[0]
    found = set(re.findall(r"^ +(--[a-z-]+)", ours, re.MULTILINE))
    names = ("request", "conformance", "behaviours", "junitxml", "plan", "shards", "tell")
    own = {f"{PYTESTS}{name}" for name in names}
    assert found == own | {one.of(PYTESTS) for one in OPTIONS.values() if PYTESTS not in one.hidden}


def test_one_test_of_meshproofs_own_suites_again_is_a_command_of_verify() -> None:
    request = RunRequest(
        topology=("bare",), mtls=("strict",), profile="all", sabotage=True, workers="2"
    )
    labs = SimpleNamespace(kept="0a1b2c3d", on_kept="that")
    stash = {SELECTION: Selection(request), LABS: labs}
    config = cast(pytest.Config, SimpleNamespace(stash=stash))
    test = "suites/mtls/test_it.py::test_a[x y-from-east]"
    command = f"meshproof verify --mtls=strict --profile=all '--only={test}' --keep"
    assert again(config, test, "that") == f"{command} --reuse=0a1b2c3d"
    assert again(config, test, "another") == f"{command} --reuse=0a1b2c3d --repair"
    labs.on_kept = ""  # damaged
    assert again(config, test, "that") == f"{command} --reuse=0a1b2c3d --repair"
    labs.on_kept = None
    assert again(config, test, "that") == f"{command} --reuse=0a1b2c3d"


def test_one_test_again_is_a_command_that_can_be_copied(pytester: pytest.Pytester) -> None:
    """Of suites that are not meshproof's own: pytest's, which verify would know nothing of."""
    file = lay(pytester, LAKE, enforce=True, kubernetes="1.36.1")
    done = pytester.runpytest_subprocess("--meshproof-request", file, timeout=120)
    (line,) = [one for one in done.outlines if one.startswith("To repeat the first failure")]
    argv = shlex.split(line.partition("kept: ")[2])
    assert argv == [
        "pytest",
        f"--rootdir={pytester.path}",
        "lake",
        "--meshproof-conformance",
        "--meshproof-kubernetes=1.36.1",
        "--meshproof-enforce",
        "--meshproof-only=lake/test_lake.py::test_b[disjoint-cidrs+isolated]",
        "--meshproof-keep",
    ]
    again = pytester.runpytest_subprocess(*argv[1:], timeout=120)
    assert again.ret == 1
    again.stdout.fnmatch_lines(["FAILED: 0 of 1 held; 1 failed, 0 could not tell, 0 not run"])
