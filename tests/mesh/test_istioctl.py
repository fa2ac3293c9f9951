"""istioctl: what it is given, what it prints where a Secret is wanted, and why it failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from meshproof.engine import Engine
from meshproof.errors import CommandError, LabError
from meshproof.kube import Node, RunningCluster
from meshproof.mesh import istioctl as module
from meshproof.mesh.istioctl import Istioctl, _secret_in
from meshproof.model import Cluster, Version
from meshproof.process import Finished, Shell

SECRET = "# for east\napiVersion: v1\nkind: Secret\nmetadata:\n  name: istio-remote-secret-east\n"
LABELLED = f"{SECRET}  labels:\n    istio/multiCluster: 'true'\n"
OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)
NODE = Node("node", IPv4Address("172.30.1.2"), IPv4Network("10.10.0.0/16"), control_plane=True)
SPEC = Cluster("east", IPv4Network("10.10.0.0/16"), IPv4Network("10.11.0.0/16"), "")
EAST = RunningCluster(SPEC, Path("/labs/east.yaml"), cast(Engine, None))
vars(EAST)["nodes"] = (NODE,)


class Shells(Shell):
    """Notes what is run. ``answer``: what it prints, or what it complains of, to fail."""

    def __init__(self, answer: str = "", complaint: str = "") -> None:
        super().__init__()
        self.ran: list[tuple[str, ...]] = []
        self.answer, self.complaint = answer, complaint

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        self.ran.append(tuple(argv))
        if self.complaint:
            raise CommandError(argv, 1, "", self.complaint)
        return Finished(tuple(argv), 0, self.answer, "", 0.0)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    """What keeps pods of the cluster from ever running; nothing, unless a test says so."""

    def say(why: str | None) -> None:
        monkeypatch.setattr(module, "hopeless", lambda *_: why)

    say(None)
    return say


def program(shell: Shell, folder: Path) -> Istioctl:
    return Istioctl({OLD: Path("/bin/old"), NEW: Path("/bin/new")}, shell, folder)


def test_a_cluster_is_installed_by_its_own_version_from_a_file_that_is_kept(tmp_path: Path) -> None:
    shell, document = Shells(), {"kind": "IstioOperator", "spec": {"profile": "default"}}
    program(shell, tmp_path / "mesh").install(EAST, OLD, "primary", document)
    kept = tmp_path / "mesh" / "east-primary.yaml"
    assert yaml.safe_load(kept.read_text()) == document
    ((name, *arguments),) = shell.ran
    assert name == "/bin/old"
    assert arguments[:4] == ["install", "-y", "-f", str(kept)]
    assert arguments[-2:] == ["--kubeconfig", "/labs/east.yaml"]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("pod istiod: ErrImageNeverPull", "pod istiod: ErrImageNeverPull"),
        (None, "Error: the webhook does not answer"),
    ],
    ids=["the pod's own words", "istioctl's"],
)
def test_an_installation_that_failed_says_why(
    why: str | None, said: str, stuck: Callable[[str | None], None], tmp_path: Path
) -> None:
    stuck(why)
    shell = Shells(complaint="✔ Istio core installed\nError: the webhook does not answer\n")
    with pytest.raises(LabError, match=r"Istio 1\.31\.1 was not installed in east: ") as raised:
        program(shell, tmp_path).install(EAST, NEW, "primary", {})
    assert said in str(raised.value)


def test_a_remote_secret_has_the_address_that_other_clusters_reach(tmp_path: Path) -> None:
    shell = Shells(LABELLED)
    secret = program(shell, tmp_path).remote_secret(EAST, NEW)
    assert secret["metadata"]["labels"] == {"istio/multiCluster": "true"}
    assert "https://172.30.1.2:6443" in shell.ran[0]


def test_a_config_secret_is_istiods_own_and_has_no_label(tmp_path: Path) -> None:
    shell = Shells(LABELLED)
    secret = program(shell, tmp_path).config_secret(EAST, NEW, "istiod-account")
    assert "labels" not in secret["metadata"]
    words = " ".join(shell.ran[0])
    assert "--type config --service-account istiod-account" in words


def test_a_secret_that_is_refused_says_why(tmp_path: Path) -> None:
    shell = Shells(complaint="Error: no reader account\n")
    with pytest.raises(LabError, match="no remote secret of east: Error: no reader account"):
        program(shell, tmp_path).remote_secret(EAST, NEW)


def test_the_secret_is_found_among_what_is_printed() -> None:
    printed = f"{SECRET}---\n"
    assert _secret_in(printed, "east")["metadata"]["name"] == "istio-remote-secret-east"
    assert _secret_in(f"Warning: old\n---\n{SECRET}", "east")["kind"] == "Secret"


@pytest.mark.parametrize("printed", ["", "---\n", "kind: [", "kind: ServiceAccount\n", "a: b: c"])
def test_no_secret_is_one_sentence(printed: str) -> None:
    with pytest.raises(LabError, match="no remote secret of east: istioctl printed none, but '"):
        _secret_in(printed, "east")
