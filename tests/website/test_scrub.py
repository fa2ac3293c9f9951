"""What tells of a machine goes out of a run, and what tells of its mesh stays."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.report.recorded import small_run
from website import samples
from website.scrub import Scrub, left_over

SAID = (
    '{"upstream_host": "172.30.1.200:15443", "pod": "10.20.0.7:5000", "lab": "mp-0a1b2c3d-west", '
    '"alone": "0a1b2c3d", "at": "/tmp/x/.venv/bin/istioctl", "kernel": "6.1.0-38-cloud-amd64", '
    '"name": "172-30-1-200.lb.example", "node": "172.30.0.2", "host": "buildbox-17", '
    '"url": "http://helloworld.sample:5000/hello", "image": "localhost/meshproof/pilot:1.31.1"}'
)


def test_addresses_ids_paths_and_names_are_replaced_and_what_belongs_together_still_does() -> None:
    scrub = Scrub(["buildbox-17"])
    said = scrub(SAID)
    assert '"192.0.2.200:15443"' in said and '"192-0-2-200.lb.example"' in said
    assert '"198.51.100.2"' in said
    assert '"mp-00000001-west"' in said and '"alone": "00000001"' in said
    assert '"/…/istioctl"' in said and '"kernel": "6.1"' in said and '"host": "machine"' in said
    assert left_over(said, ["buildbox-17"]) == []
    assert scrub("172.30.1.3") == "192.0.2.3"  # the same network, also in another text


def test_what_is_the_meshs_own_stays() -> None:
    said = Scrub(["buildbox-17"])(SAID)
    for kept in ("10.20.0.7:5000", "http://helloworld.sample:5000/hello", "pilot:1.31.1"):
        assert kept in said
    versions = "Istio 1.31.1, Kubernetes 1.36.3, podman 4.3.1, kind 0.33.0"
    assert Scrub()(versions) == versions
    assert (
        Scrub()("8 cores, Linux 6.1.0-38-cloud-amd64, Debian 12") == "8 cores, Linux 6.1, Debian 12"
    )


@pytest.mark.parametrize(
    "text",
    [
        "172.30.1.200",
        "172-30-0-2.lb.example",
        "/root/.cache/x",
        "mp-deadbeef-east",
        "Linux 6.1.0-1-amd64",
    ],
)
def test_what_is_left_over_is_found(text: str) -> None:
    assert left_over(f"before {text} after") != []
    assert left_over("a box", ["box"]) == ["box"]


def test_samples_are_made_of_runs_and_say_nothing_of_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SAMPLE", tmp_path / "sample")
    runs = [small_run(tmp_path / name).folder for name in ("one", "two")]
    assert samples.main(runs) == 0
    made = {path.name for path in samples.files(tmp_path / "sample")}
    assert made >= {
        *("report.html", "junit.xml", "report.md", "conformance.yaml", "annotations.txt"),
        *("compare.html", "compare.md", "trend.md", "environment.properties", "categories.json"),
    }
    page = samples.read(tmp_path / "sample" / "report.html")
    assert re.search(r"(192\.0\.2|198\.51\.100|203\.0\.113)\.200:15443", page)
    assert "172.30." not in page


def test_of_a_run_its_first_deployments_can_be_taken_alone(tmp_path: Path) -> None:
    run = small_run(tmp_path / "run")
    text = samples.read(run.folder / "events.jsonl")
    every = [json.loads(line) for line in text.splitlines()]
    ended = [one["deployment"]["id"] for one in every if one["kind"] == "test"]
    assert len(set(ended)) > 1
    kept = [json.loads(line) for line in samples.begun_only(text, 1).splitlines()]
    begin, end = kept[0], kept[-1]
    tests = [one for one in kept if one["kind"] == "test"]
    assert {one["deployment"]["id"] for one in tests} == {ended[0]}
    assert set(begin["tests"]) == {one["test"] for one in tests}
    assert [one["id"] for one in begin["deployments"]] == [ended[0]]
    assert end["kind"] == "run-end"
    failed = any(one["outcome"] == "FAIL" for one in tests)
    assert (end["exit_code"] == 1) is failed


def test_a_folder_without_a_record_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert samples.main([tmp_path]) == 2
    assert "no record in" in capsys.readouterr().err


def test_the_samples_that_are_kept_say_nothing_of_a_machine_and_are_small() -> None:
    kept = samples.files(samples.SAMPLE)
    assert kept, "reports/sample is empty: run 'make samples RUNS=reports/RUN'"
    assert sum(path.stat().st_size for path in kept) <= samples.LARGEST
    found = {path.name: left_over(samples.read(path)) for path in kept}
    assert {name: said for name, said in found.items() if said} == {}
