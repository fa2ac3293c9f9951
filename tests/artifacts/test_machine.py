"""What machines are made of: the image, Istio's package, and the source that has neither."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshproof.artifacts import Store, Wanted, provide_machines
from meshproof.artifacts.machine import (
    Package,
    assemble_machine,
    machine_recipe,
    machine_reference,
)
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.model import Version
from tests.lab.fakes import FakeEngine


class Importing(FakeEngine):
    """Notes what is in the folder that an image is made of, when it is."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.found, self.changes = root, set[str](), tuple[str, ...]()

    def import_rootfs(self, archive: Path, reference: str, changes: Any = ()) -> None:
        archive.touch()
        self.changes = tuple(changes)
        files = (one for one in self.root.rglob("*") if one.is_file())
        self.found = {str(one.relative_to(self.root)) for one in files}


def test_a_machine_has_our_programs_and_starts_systemd_as_nodes_do(tmp_path: Path) -> None:
    kind, programs, folder = tmp_path / "kind", tmp_path / "ours", tmp_path / "made"
    for path in ("base/etc/hosts", "base/kind/bin/one.sh", "base/usr/local/bin/entrypoint"):
        (kind / path).parent.mkdir(parents=True, exist_ok=True)
        (kind / path).write_text("x")
    programs.mkdir()
    for name in ("helloworld", "probe", "pause"):
        (programs / name).write_text("x")
    folder.mkdir()
    engine = Importing(folder / "root")
    root = folder / "root"

    def unpacked(argv: Any, **_: Any) -> Any:
        for place in ("usr/local/bin", "etc/systemd/system"):
            (root / place).mkdir(parents=True, exist_ok=True)
        return type(engine.fake).run(engine.fake, argv)

    engine.fake.run = unpacked  # type: ignore[method-assign]
    assemble_machine(folder, "ref", tmp_path / "root.tar", kind, programs, engine, Recorder())
    assert {"usr/local/bin/helloworld", "usr/local/bin/probe"} <= engine.found
    assert {"usr/local/bin/entrypoint", "etc/systemd/system/helloworld.service"} <= engine.found
    assert "usr/local/bin/pause" not in engine.found
    assert any("/sbin/init" in one for one in engine.changes)
    assert list(folder.iterdir()) == []


def test_another_debian_is_another_image() -> None:
    one = machine_recipe("podman", {"debian": "a", "kind": "b", "workloads": "c"})
    other = machine_recipe("podman", {"debian": "z", "kind": "b", "workloads": "c"})
    assert machine_reference(one).startswith("localhost/meshproof/machine:")
    assert machine_reference(one) != machine_reference(other)


def test_the_package_has_istios_own_places() -> None:
    files = Package(Path("/i"), Path("/e/envoy"), Path("/p")).files
    assert files["/usr/local/bin/pilot-agent"] == Path("/i/pilot-agent")
    assert files["/usr/local/bin/envoy"] == Path("/e/envoy")
    assert files["/lib/systemd/system/istio.service"] == Path("/p/istio.service")
    assert files["/var/lib/istio/envoy/envoy_bootstrap_tmpl.json"].parent == Path("/i")


def test_what_is_published_has_no_package_for_machines(tmp_path: Path) -> None:
    wanted = Wanted(Version(1, 36, 3), (Version(1, 31, 1),))
    with pytest.raises(ArtifactError, match="add '--artifacts built'"):
        provide_machines(
            wanted,
            engine=FakeEngine(),
            recorder=Recorder(),
            source="published",
            store=Store(tmp_path / "store"),
        )
