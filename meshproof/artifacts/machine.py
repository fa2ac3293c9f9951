"""What machines outside Kubernetes are made of: a Debian system with systemd, and our programs; and
Istio as its own package installs it on such a machine.

The package is not built: its files are, or lie in Istio's source tree (``tools/packaging/common``).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts import digests
from meshproof.artifacts.catalog import RECIPES
from meshproof.artifacts.debian import unpack_root
from meshproof.artifacts.images import OURS, PROBE, SERVER
from meshproof.artifacts.node import CHANGES, base_files
from meshproof.artifacts.store import Recipe
from meshproof.engine import Engine
from meshproof.events import Recorder
from meshproof.model import Version

PACKAGING = ("istio.service", "istio-start.sh", "sidecar.env")
"""What the package has beside the programs: its unit, what that starts, and its settings."""
PACKAGING_FOLDER = "tools/packaging/common"
"""Where Istio's source tree has it."""
AGENT, BOOTSTRAP = "pilot-agent", "envoy_bootstrap_tmpl.json"
_UNIT = RECIPES / "machine" / "helloworld.service"


@dataclass(frozen=True, slots=True)
class Package:
    """Istio for a machine. ``istio``: the folder with its agent and Envoy's bootstrap template;
    ``envoy``: the program; ``packaging``: the folder with ``PACKAGING``."""

    istio: Path
    envoy: Path
    packaging: Path

    @property
    def files(self) -> dict[str, Path]:
        """Each file by its place on a machine, as the package has it."""
        return {
            "/usr/local/bin/pilot-agent": self.istio / AGENT,
            "/usr/local/bin/envoy": self.envoy,
            "/usr/local/bin/istio-start.sh": self.packaging / "istio-start.sh",
            "/lib/systemd/system/istio.service": self.packaging / "istio.service",
            "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": self.istio / BOOTSTRAP,
            "/var/lib/istio/envoy/sidecar.env": self.packaging / "sidecar.env",
        }


@dataclass(frozen=True, slots=True)
class MachineArtifacts:
    """What machines need. ``image``: a reference in the engine; ``packages``: by version."""

    image: str
    packages: Mapping[Version, Package]


def machine_recipe(engine: str, parts: Mapping[str, str]) -> Recipe:
    """The recipe of machines' image. ``parts``: the digests of what goes in."""
    inputs = {"revision": 1, "engine": engine, "parts": parts, "unit": digests.of_file(_UNIT)}
    return Recipe("machine", "1", inputs, 2 * 2**30)


def machine_reference(recipe: Recipe) -> str:
    """The name of machines' image in the engine."""
    return f"{OURS}/machine:{recipe.digest[:16]}"


def assemble_machine(
    folder: Path,
    reference: str,
    debian: Path,
    kind: Path,
    programs: Path,
    engine: Engine,
    recorder: Recorder,
) -> None:
    """Make the image ``reference`` in the engine; ``folder`` is for what is half made.

    ``debian``: the archive of the root file system; ``kind``: the folder with kind's base files, by
    whose entrypoint systemd starts in a container; ``programs``: that with ours. Raises
    CommandError.
    """
    root, shell = folder / "root", engine.shell
    with recorder.step("assemble and import the machines' image", image=reference):
        unpack_root(debian, root, shell)
        base_files(root, kind / "base")
        for name in (SERVER, PROBE):
            shutil.copyfile(programs / name, root / "usr/local/bin" / name)
            (root / "usr/local/bin" / name).chmod(0o755)
        shutil.copyfile(_UNIT, root / "etc/systemd/system" / _UNIT.name)
        for words in (
            ("enable", "undo-mount-hacks.service"),
            ("mask", "systemd-binfmt.service"),
        ):
            shell.run(["chroot", str(root), "systemctl", *words])
        packed = folder / "machine.tar"
        shell.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(packed), "."])
        engine.import_rootfs(packed, reference, CHANGES)
        packed.unlink()
        shutil.rmtree(root)
