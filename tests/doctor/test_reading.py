"""Reading the machine: layouts that are made up, then this machine as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.doctor import examine, machine, probes
from meshproof.doctor.facts import Cgroups, Outcome
from meshproof.errors import UsageError
from meshproof.process import Shell


def _hierarchy(mount: Path, *names: str) -> None:
    for name in names:
        (mount / name).mkdir(parents=True)


def test_cgroup_modes_are_told_by_their_layout(tmp_path: Path) -> None:
    assert machine.cgroups(tmp_path / "absent").mode == "none"
    assert machine.cgroups(tmp_path).mode == "none"
    _hierarchy(tmp_path, "cpu,cpuacct", "memory", "systemd")
    assert machine.cgroups(tmp_path).mode == "v1"
    _hierarchy(tmp_path, "unified")
    (tmp_path / "unified" / "cgroup.controllers").touch()
    hybrid = Cgroups("hybrid", frozenset({"cpu", "cpuacct", "memory"}))
    assert machine.cgroups(tmp_path) == hybrid
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n", encoding="ascii")
    assert machine.cgroups(tmp_path) == Cgroups("v2", frozenset({"cpu", "memory"}))


@pytest.mark.parametrize(("mask", "may"), [("000001ffffffffff", True), ("000001fffeffffff", False)])
def test_the_capability_is_read_from_the_effective_set(
    tmp_path: Path, mask: str, may: bool
) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t{mask}\n", encoding="ascii")
    assert machine.limits(status).may_raise is may


def test_later_configuration_files_win_and_broken_ones_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONTAINERS_CONF", raising=False)
    monkeypatch.delenv("CONTAINERS_CONF_OVERRIDE", raising=False)
    (tmp_path / "containers.conf.d").mkdir()
    (tmp_path / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1:1"]\n[engine]\nruntime = "crun"\n'
    )
    (tmp_path / "containers.conf.d" / "50-a.conf").write_text('[engine]\nruntime = "runc"\n')
    (tmp_path / "containers.conf.d" / "60-b.conf").write_text("not = [toml")
    (tmp_path / "containers.conf.d" / "70-c.conf").write_text("containers = 7")
    conf = machine.containers_conf(tmp_path)
    assert (conf.ulimits, conf.runtime) == (("nofile=1:1",), "runc")
    (tmp_path / "last").write_text('[engine]\nruntime = "kata"\n')
    monkeypatch.setenv("CONTAINERS_CONF_OVERRIDE", str(tmp_path / "last"))
    assert machine.containers_conf(tmp_path).runtime == "kata"
    monkeypatch.setenv("CONTAINERS_CONF", str(tmp_path / "none"))
    assert machine.containers_conf(tmp_path).ulimits == ()


def test_a_folder_that_is_not_made_yet_is_measured_at_its_parent(tmp_path: Path) -> None:
    disk = machine.disk("store", tmp_path / "not" / "yet")
    assert disk.device == tmp_path.stat().st_dev
    assert disk.free > 0


def test_a_file_that_is_absent_or_odd_gives_no_number(tmp_path: Path) -> None:
    odd = tmp_path / "odd"
    odd.write_text("max\n", encoding="ascii")
    assert machine.number(odd) is None
    assert machine.number(tmp_path / "absent") is None


Say = Callable[[str, str], None]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Puts a program on the PATH, as a shell script."""

    def put(name: str, script: str) -> None:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    return put


def test_a_refusal_is_told_by_the_line_that_names_the_error(say: Say) -> None:
    say("unshare", "echo 'level=warning msg=\"Error in CNI\"' >&2; echo 'Error: no' >&2; exit 1")
    trial = probes.netem(Shell())
    assert (trial.outcome, trial.said) == (Outcome.REFUSED, "Error: no")


def test_a_program_that_is_missing_is_no_refusal(say: Say) -> None:
    say("unshare", "echo 'unshare: failed to execute nft' >&2; exit 127")
    assert probes.nft(Shell()).outcome is Outcome.NOT_TRIED


def test_the_version_of_go_is_read(say: Say) -> None:
    say("go", "echo go version go1.26.8 linux/amd64")
    assert probes.go_version(Shell()) == "1.26.8"
    say("go", "echo go version devel; exit 0")
    assert probes.go_version(Shell()) is None


def test_chains_that_drop_are_found(say: Say) -> None:
    chain = '{"chain":{"family":"ip","table":"filter","hook":"forward","policy":"drop"}}'
    other = '{"chain":{"family":"ip","table":"nat","hook":"postrouting","policy":"accept"}}'
    say("nft", f"""echo '{{"nftables":[{{"metainfo":{{}}}},{chain},{other}]}}'""")
    assert probes.dropping_chains(Shell()) == ("forward of ip filter",)
    for silent in ("exit 1", "echo '[]'", "echo nothing"):
        say("nft", silent)
        assert probes.dropping_chains(Shell()) == ()


def test_an_engine_that_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        examine(Shell(), engine="dockre")


def test_this_machine_can_be_examined_whatever_it_lacks() -> None:
    findings = examine(Shell())
    assert len({finding.name for finding in findings}) == len(findings) >= 15
