"""Assembles the node image: a Debian root with kind's base files, programs and images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from meshproof.artifacts.archive import Image, write_archive
from meshproof.artifacts.bake import unpacked_images
from meshproof.artifacts.catalog import RECIPES
from meshproof.artifacts.debian import unpack_root
from meshproof.artifacts.images import ImageSet, Programs, image_set, kubeadm_names
from meshproof.engine import Engine
from meshproof.errors import ArtifactError
from meshproof.events import Recorder

CHANGES = (
    "ENV container=docker",
    'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',
    "STOPSIGNAL SIGRTMIN+3",
)
"""How an image starts systemd, as kind's own base image does."""
# Services that a container must not start, as kind's own base image removes them.
_UNWANTED = (
    "lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service",
    "lib/systemd/system/multi-user.target.wants/*",
    "lib/systemd/system/local-fs.target.wants/*",
    "lib/systemd/system/sockets.target.wants/*udev*",
    "lib/systemd/system/sockets.target.wants/*initctl*",
    "lib/systemd/system/basic.target.wants/*",
    "etc/systemd/system/*.wants/*",
)
_CNI_PLUGINS = ("host-local", "loopback", "portmap", "ptp")
_CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")
_ON_NODE = ("kubeadm", "kubelet", "kubectl")
CONTAINERD_ADDITION = """
[plugins."io.containerd.grpc.v1.cri".cni]
  conf_template = "/etc/cni/template.conflist"
"""


def assemble_node(
    folder: Path,
    reference: str,
    kubernetes: str,
    programs: Programs,
    debian: Path,
    engine: Engine,
    recorder: Recorder,
) -> ImageSet:
    """Make the image ``reference`` in the engine; ``folder`` is for what is half made.

    ``debian``: the archive of the root file system. Returns the images that are in it.
    """
    root = folder / "root"
    shell = engine.shell
    with recorder.step("assemble the node's file system"):
        unpack_root(debian, root, shell)
        names = kubeadm_names(programs.kubernetes / "kubeadm", kubernetes, shell)
        chosen = image_set(programs, root, names, shell)
        archive = folder / "images.tar"
        write_archive(chosen.images, archive)
        install(root, kubernetes, programs, engine)
        _adapt(root, names["pause"])
    with recorder.step("unpack the node's images"):
        state = unpacked_images(archive, folder, programs, engine, recorder)
        archive.unlink()
        _place_images(root, state, chosen.images)
    with recorder.step("import the node image", image=reference):
        packed = folder / "node.tar"
        shell.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(packed), "."])
        engine.import_rootfs(packed, reference, CHANGES)
        packed.unlink()
        shutil.rmtree(root)
    return chosen


def install(root: Path, kubernetes: str, programs: Programs, engine: Engine) -> None:
    """Make of a Debian root file system what kind's own build makes of it, but for the images: see
    images/base/Dockerfile and pkg/build/nodeimage in kind's module."""
    base_files(root, programs.kind / "base")
    for folder in ("etc/kubernetes/manifests", "etc/cni/net.d", "opt/cni/bin", "kind/manifests"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    _programs(root, root / "usr/lib/cni", _CNI_PLUGINS, "opt/cni/bin")
    _programs(root, programs.containerd, _CONTAINERD, "usr/local/bin")
    _programs(root, programs.kubernetes, _ON_NODE, "usr/bin")
    (root / "usr/local/sbin/runc").symlink_to("/usr/sbin/runc")
    (root / "kind/version").write_text(f"v{kubernetes}", encoding="utf-8")
    shutil.copyfile(RECIPES / "default-storage.yaml", root / "kind/manifests/default-storage.yaml")
    _container_spec(root, programs, engine)
    for words in (
        ("enable", "kubelet.service", "containerd.service", "undo-mount-hacks.service"),
        ("mask", "systemd-binfmt.service"),
    ):
        engine.shell.run(["chroot", str(root), "systemctl", *words])


def _adapt(root: Path, pause: str) -> None:
    """What a node of ours has besides."""
    shutil.copyfile(RECIPES / "cni-template.conflist", root / "etc/cni/template.conflist")
    config = root / "etc/containerd/config.toml"
    text = adapted_containerd_config(config.read_text(encoding="utf-8"), pause)
    config.write_text(text, encoding="utf-8")


def base_files(root: Path, base: Path) -> None:
    """What kind's own Dockerfile does to its base image. ``base``: kind's files for it."""
    shutil.copytree(base / "etc", root / "etc", dirs_exist_ok=True, copy_function=_copy_plain)
    shutil.copytree(base / "kind", root / "kind", copy_function=_copy_plain)
    scripts = [*(base / "kind/bin").iterdir(), *(base / "usr/local/bin").iterdir()]
    for script in scripts:
        target = root / script.relative_to(base)
        shutil.copyfile(script, target)
        target.chmod(0o755)
    for pattern in _UNWANTED:
        for unit in root.glob(pattern):
            unit.unlink()
    with (root / "etc/systemd/journald.conf").open("a", encoding="utf-8") as journal:
        journal.write("ReadKMsg=no\n")


def _copy_plain(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    Path(target).chmod(0o644)
    return target


def _programs(root: Path, source: Path, names: Iterable[str], target: str) -> None:
    for name in names:
        shutil.copyfile(source / name, root / target / name)
        (root / target / name).chmod(0o755)


def _container_spec(root: Path, programs: Programs, engine: Engine) -> None:
    """containerd's base spec, with kind's hook, and without limits that no host may raise."""
    spec = json.loads(engine.shell.run([str(programs.containerd / "ctr"), "oci", "spec"]).stdout)
    hooks = spec.setdefault("hooks", {}).setdefault("createContainer", [])
    hooks.append({"path": "/kind/bin/mount-product-files.sh"})
    spec["process"].pop("rlimits", None)
    (root / "etc/containerd/cri-base.json").write_text(json.dumps(spec), encoding="utf-8")


def adapted_containerd_config(text: str, pause: str) -> str:
    """kind's containerd configuration with our pause image, pod network and OOM scores.

    Raises ArtifactError when it is not the text that this knows how to change.
    """
    lines = []
    changed = 0
    for line in text.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip().startswith("sandbox_image"):
            line, changed = f'{indent}sandbox_image = "{pause}"', changed + 1
        elif line.strip() == "restrict_oom_score_adj = false":
            # Without CAP_SYS_RESOURCE the host refuses scores below the node's own.
            line, changed = f"{indent}restrict_oom_score_adj = true", changed + 1
        lines.append(line)
    if changed != 2:
        raise ArtifactError("kind's containerd configuration is not the one expected")
    return "\n".join(lines) + "\n" + CONTAINERD_ADDITION


def _place_images(root: Path, state: Path, images: Iterable[Image]) -> None:
    """Move containerd's state into the node: its database into /var, the files beside it.

    kind mounts a volume over /var and the engine copies the image's /var into it whenever a
    node starts. Files of images are only read, so links lead to them outside of /var: nothing
    is copied, and all nodes of all clusters share them, in the page cache as well.
    """
    target = root / "var/lib/containerd"
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(str(state), str(target))
    shared = root / "kind/layers"
    shared.mkdir()
    snapshots = sorted((target / "io.containerd.snapshotter.v1.overlayfs/snapshots").iterdir())
    if len(snapshots) < len({id(layer) for image in images for layer in image.layers}) // 2:
        raise ArtifactError("containerd did not unpack the node's images")
    for snapshot in snapshots:
        shutil.move(str(snapshot / "fs"), str(shared / snapshot.name))
        (snapshot / "fs").symlink_to(f"/kind/layers/{snapshot.name}")
