"""The audit policy is added to any kind configuration, and leaves the rest as it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.errors import LabError
from meshproof.files import find_kind_config
from meshproof.files.kind_config import kind_config_names
from meshproof.lab.audited import audited, write_audited

POLICY = Path("/state/labs/0123abcd/audit-policy.yaml")
HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


def read(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(audited(text, POLICY))
    return found


def mounts(node: dict[str, Any]) -> list[str]:
    return [mount["hostPath"] for mount in node.get("extraMounts", ())]


@pytest.mark.parametrize("name", kind_config_names())
def test_all_that_was_there_is_there(name: str) -> None:
    text = find_kind_config(name).read_text()
    before, after = yaml.safe_load(text), read(text)
    ours, *others = after.pop("kubeadmConfigPatches")
    assert others == before.pop("kubeadmConfigPatches")
    patch = yaml.safe_load(ours)
    assert patch["kind"] == "ClusterConfiguration"
    assert set(patch["apiServer"]["extraArgs"]) == {"audit-policy-file", "audit-log-path"}
    control, *workers = after["nodes"]
    (mount,) = control.pop("extraMounts")
    assert mount["hostPath"] == str(POLICY)
    assert mount["containerPath"] == patch["apiServer"]["extraArgs"]["audit-policy-file"]
    assert mount["readOnly"] is True
    assert not any("extraMounts" in one for one in workers)
    assert after == before


@pytest.mark.parametrize("nodes", ["", "nodes:\n", "nodes: []\n"])
def test_a_cluster_without_a_list_of_nodes_has_one(nodes: str) -> None:
    (node,) = read(HEAD + nodes)["nodes"]
    assert node["role"] == "control-plane"
    assert mounts(node) == [str(POLICY)]


def test_mounts_are_added_to_and_merged_ones_are_kept() -> None:
    text = (
        "nodes:\n"
        "- &one {role: worker, extraMounts: [{hostPath: /a, containerPath: /b}]}\n"
        "- {<<: *one, role: control-plane}\n"
    )
    worker, control = read(HEAD + text)["nodes"]
    assert (worker["role"], mounts(worker)) == ("worker", ["/a"])
    assert (control["role"], mounts(control)) == ("control-plane", ["/a", str(POLICY)])


def test_patches_of_the_users_come_after_ours() -> None:
    mine = "kind: ClusterConfiguration\napiServer: {extraArgs: {audit-log-path: /mine}}\n"
    text = HEAD + "kubeadmConfigPatches:\n- |\n" + "".join(f"  {one}\n" for one in mine.split("\n"))
    assert read(text)["kubeadmConfigPatches"][-1].strip() == mine.strip()


def test_words_with_several_readings_stay_as_they_are_written() -> None:
    written = "labels: {a: on, b: 'on', c: 1e3, d: 010}"
    assert written in audited(HEAD + written + "\n", POLICY)


def test_policy_and_configuration_are_written_into_the_labs_folder(tmp_path: Path) -> None:
    made = write_audited("east", str(find_kind_config("east")), tmp_path)
    assert made.parent == tmp_path
    policy = yaml.safe_load((tmp_path / "audit-policy.yaml").read_text())
    assert policy["kind"] == "Policy"
    assert mounts(yaml.safe_load(made.read_text())["nodes"][0]) == [
        str(tmp_path / "audit-policy.yaml")
    ]


def test_a_file_that_went_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="the cluster's configuration"):
        write_audited("east", str(tmp_path / "gone.yaml"), tmp_path)
