"""A Debian root file system, and what a few of its programs need to run elsewhere."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import yaml

from meshproof.artifacts.archive import Item
from meshproof.artifacts.catalog import RECIPES
from meshproof.artifacts.store import Recipe, Store
from meshproof.environment import find_program, for_downloads
from meshproof.errors import ArtifactError, CommandError
from meshproof.process import Shell

_LAST_RESORT = "http://deb.debian.org/debian"
_LIBRARY = re.compile(r"(/\S+) \(0x[0-9a-f]+\)")
# What no node needs: it would be copied into every cluster's image.
_NEEDLESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt")
ARCHIVE = "root.tar"
# debootstrap mounts /proc and /sys in what it makes. In namespaces of its own they are gone when
# it is killed, and so are the programs it started: nobody removes files through such a mount.
_ALONE = ("unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child")


def debian_recipe() -> Recipe:
    """The root file system of nodes, which ``recipes/debian.yaml`` describes."""
    return _recipe("debian", RECIPES / "debian.yaml")


def machine_debian_recipe() -> Recipe:
    """That of machines outside Kubernetes, which ``recipes/machine/debian.yaml`` describes."""
    return _recipe("debian-machine", RECIPES / "machine" / "debian.yaml")


def _recipe(name: str, path: Path) -> Recipe:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Recipe(name, data["suite"], {"revision": 1, **data}, 3 * 2**30)


def make_root(recipe: Recipe, folder: Path, store: Store, shell: Shell) -> None:
    """debootstrap into ``folder``/root.tar. Raises ArtifactError with what it said.

    Packages already fetched by a build that was killed are not fetched again.
    """
    root = folder / "root"
    cache = store.scratch("debs").resolve()
    packages = ",".join(recipe.inputs["packages"])
    try:
        shell.run(
            [
                *_ALONE,
                *("debootstrap", "--variant=minbase", f"--cache-dir={cache}"),
                *(f"--include={packages}", recipe.version, str(root), mirror(shell)),
            ],
            env=for_downloads(os.environ),
            timeout=3600,
        )
    except CommandError as error:
        said = [line for line in error.stdout.splitlines() if line.startswith("E:")] or ["see log"]
        if "no space left" in (error.stdout + error.stderr).lower():
            raise
        raise ArtifactError(
            f"debootstrap could not make a Debian root file system ({said[-1]})",
            "check that apt's mirror can be reached: 'apt-get update'",
        ) from error
    for name in _NEEDLESS:
        shutil.rmtree(root / name, ignore_errors=True)
    for package in (root / "var/cache/apt").rglob("*.*"):
        package.unlink()
    shell.run(["tar", "--numeric-owner", "-C", str(root), "-cf", str(folder / ARCHIVE), "."])
    shutil.rmtree(root)


def unpack_root(archive: Path, root: Path, shell: Shell) -> None:
    """Unpack a root file system, with owners and device files."""
    root.mkdir()
    shell.run(["tar", "--numeric-owner", "-C", str(root), "-xpf", str(archive)])


def closure(root: Path, programs: Iterable[str], shell: Shell) -> dict[str, Item]:
    """Everything that programs (absolute paths in ``root``) need: links, libraries, loader."""
    items: dict[str, Item] = {}
    targets = [_add(root, program, items) for program in programs]
    ldd = shell.run(["chroot", str(root), "ldd", *targets], check=False)
    for library in sorted(set(_LIBRARY.findall(ldd.stdout))):
        _add(root, library, items)
    missing = [line.strip() for line in ldd.stdout.splitlines() if "not found" in line]
    if missing:
        raise ArtifactError(f"the root file system lacks a library ({missing[0]})")
    return items


def folder_items(root: Path, folder: str) -> dict[str, Item]:
    """All files below a folder of ``root``, as they are."""
    items: dict[str, Item] = {}
    for path in sorted((root / folder).rglob("*")):
        if not path.is_dir() or path.is_symlink():
            _add(root, "/" + str(path.relative_to(root)), items)
    return items


def _add(root: Path, path: str, items: dict[str, Item]) -> str:
    """Add what is at ``path``, following links inside ``root``; returns where it really is."""
    for _ in range(16):
        link = _first_link(root, path)
        if link is None:
            break
        at, target = link
        items[at.lstrip("/")] = Item(link=target)
        rest = path[len(at) :]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(at), target)) + rest
    real = root / path.lstrip("/")
    items[path.lstrip("/")] = Item(source=real, mode=real.stat().st_mode & 0o7777)
    return path


def _first_link(root: Path, path: str) -> tuple[str, str] | None:
    at = ""
    for part in path.strip("/").split("/"):
        at = f"{at}/{part}"
        if (root / at.lstrip("/")).is_symlink():
            return at, str((root / at.lstrip("/")).readlink())
    return None


def mirror(shell: Shell) -> str:
    """The mirror that this machine's own apt uses (security updates live elsewhere)."""
    if find_program("apt-get") is None:
        return _LAST_RESORT
    listed = shell.run(["apt-get", "indextargets", "--format", "$(SITE)"], check=False)
    sites = [site for site in listed.stdout.split() if site.rstrip("/").endswith("/debian")]
    return sites[0] if sites else _LAST_RESORT
