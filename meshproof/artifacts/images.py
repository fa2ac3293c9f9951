"""The images that are baked into a node: which files each holds, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts.archive import Image, Item, Layer
from meshproof.artifacts.debian import closure, folder_items
from meshproof.artifacts.filters import filters_off
from meshproof.errors import ArtifactError
from meshproof.process import Shell

OURS = "localhost/meshproof"
WORKLOAD = f"{OURS}/workload:1"
"""The image of all that runs in clusters for meshproof: helloworld, sleep and probe. Ours with
every source of artifacts."""
WORKLOAD_PROGRAMS = ("helloworld", "sleep", "probe")
PROBE, SERVER = "probe", "helloworld"
MCS_DEFINITIONS = ("mcs-serviceexports.yaml", "mcs-serviceimports.yaml")
"""The kinds of the Multi-Cluster Services API, of the module that Istio is built with."""
USED_HERE = (PROBE, SERVER, *MCS_DEFINITIONS)
"""What this machine itself takes of what is built for workloads."""
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_BOOTSTRAP = "var/lib/istio/envoy/envoy_bootstrap_tmpl.json"
_ISTIO_USER = 1337
# What images with a user space offer, besides the program that they are for: kube-proxy writes
# rules with nft and conntrack, Istio's init container with iptables.
_TOOLS = (
    "/bin/cat",
    "/bin/sh",
    "/bin/sleep",
    "/bin/ls",
    "/sbin/ip",
    "/usr/bin/env",
    "/usr/sbin/conntrack",
    "/usr/sbin/nft",
    "/usr/sbin/iptables",
    "/usr/sbin/iptables-save",
    "/usr/sbin/iptables-restore",
    "/usr/sbin/ip6tables",
    "/usr/sbin/ip6tables-save",
    "/usr/sbin/ip6tables-restore",
)
_EXTENSIONS = "usr/lib/x86_64-linux-gnu/xtables"
_CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are: folders of store entries, and the unpacked root file system.

    ``istio`` and ``envoy``: version -> folder or program; ``proxies``: which Envoy is that of an
    Istio.
    """

    kubernetes: Path
    etcd: Path
    coredns: Path
    containerd: Path
    kind: Path
    workloads: Path
    istio: Mapping[str, Path]
    envoy: Mapping[str, Path]
    proxies: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """All images of a node, and the names under which a bundle gives some of them out.
    ``filters_off``: by Envoy's version which of Istio's filters it lacks."""

    images: tuple[Image, ...]
    names: Mapping[str, str]
    filters_off: Mapping[str, tuple[str, ...]]


def kubeadm_names(kubeadm: Path, version: str, shell: Shell) -> dict[str, str]:
    """What kubeadm calls its images: last part of the name without tag -> whole reference."""
    listed = shell.run(
        [str(kubeadm), "config", "images", "list", "--kubernetes-version", f"v{version}"]
    )
    references = listed.stdout.split()
    names = {line.rsplit("/", 1)[-1].split(":")[0]: line for line in references}
    if "pause" not in names:
        raise ArtifactError(f"kubeadm {version} named no pause image ({listed.stdout[:200]})")
    return names


def image_set(programs: Programs, root: Path, kubeadm: Mapping[str, str], shell: Shell) -> ImageSet:
    """Describe all images. ``root``: an unpacked root file system, read and not changed."""
    tools = Layer(_tools(root, programs, shell))
    off = {version: _filters_off(path, root, shell) for version, path in programs.envoy.items()}
    certificates = {_CERTIFICATES: Item(source=root / _CERTIFICATES, mode=0o644)}
    ours = {"workload": WORKLOAD}
    images = [
        _single(kubeadm[name], programs.kubernetes / name, "usr/local/bin")
        for name in _CONTROL_PLANE
    ]
    images += [
        _single(kubeadm["etcd"], programs.etcd / "etcd", "usr/local/bin"),
        _single(kubeadm["coredns"], programs.coredns / "coredns", "", certificates, start=True),
        _single(kubeadm["pause"], programs.workloads / "pause", "", start=True),
        Image(
            (kubeadm["kube-proxy"],),
            (tools, _layer(programs.kubernetes / "kube-proxy", "usr/local/bin")),
        ),
        workload_image(programs.workloads),
    ]
    envoys = {
        version: Layer({"usr/local/bin/envoy": Item(source=path)})
        for version, path in programs.envoy.items()
    }
    for version, folder in programs.istio.items():
        ours[f"pilot:{version}"] = f"{OURS}/pilot:{version}"
        ours[f"proxyv2:{version}"] = f"{OURS}/proxyv2:{version}"
        images.append(_pilot(ours[f"pilot:{version}"], folder, certificates))
        images.append(
            _proxy(ours[f"proxyv2:{version}"], folder, (tools, envoys[programs.proxies[version]]))
        )
    return ImageSet(tuple(images), ours, off)


def workload_image(folder: Path) -> Image:
    """The image ``WORKLOAD``, of programs that were built into ``folder``; each is found on the
    path."""
    return Image(
        (WORKLOAD,),
        (Layer({f"bin/{one}": Item(source=folder / one) for one in WORKLOAD_PROGRAMS}),),
    )


def _tools(root: Path, programs: Programs, shell: Shell) -> dict[str, Item]:
    items = closure(root, _TOOLS, shell)
    items |= folder_items(root, _EXTENSIONS)
    # A library that only Envoy needs would be missed: its own closure is taken as well.
    for envoy in programs.envoy.values():
        items |= _libraries_of(envoy, root, shell)
    for name in (_CERTIFICATES, "etc/nsswitch.conf", "etc/protocols", "etc/services"):
        if (root / name).is_file():
            items[name] = Item(source=root / name, mode=0o644)
    return items | _users() | {"tmp": Item(mode=0o1777)}


def _libraries_of(program: Path, root: Path, shell: Shell) -> dict[str, Item]:
    with _inside(program, root) as name:
        items = closure(root, [name], shell)
    return {name: item for name, item in items.items() if not name.startswith("tmp/")}


def _filters_off(envoy: Path, root: Path, shell: Shell) -> tuple[str, ...]:
    """Asked of the program with the libraries that it will have."""
    with _inside(envoy, root) as name:
        return filters_off(
            "Envoy", lambda options: shell.run(["chroot", str(root), name, *options], check=False)
        )


@contextmanager
def _inside(program: Path, root: Path) -> Iterator[str]:
    """A program inside a root file system for as long as the block lasts; gives its path there."""
    inside = root / "tmp" / program.name
    inside.unlink(missing_ok=True)
    inside.write_bytes(program.read_bytes())
    inside.chmod(0o755)
    try:
        yield f"/tmp/{program.name}"  # noqa: S108 (in the root)
    finally:
        inside.unlink()


def _users() -> dict[str, Item]:
    shell = "/bin/false"
    passwd = f"root:x:0:0:root:/:/bin/sh\nistio-proxy:x:1337:1337:istio-proxy:/:{shell}\n"
    return {
        "etc/passwd": Item(content=passwd.encode(), mode=0o644),
        "etc/group": Item(content=b"root:x:0:\nistio-proxy:x:1337:\n", mode=0o644),
    }


def _layer(program: Path, folder: str, others: Mapping[str, Item] | None = None) -> Layer:
    path = f"{folder}/{program.name}".lstrip("/")
    return Layer({path: Item(source=program), **(others or {})})


def _single(
    reference: str,
    program: Path,
    folder: str,
    others: Mapping[str, Item] | None = None,
    *,
    start: bool = False,
) -> Image:
    """One static program. ``start``: nobody gives its command, so the image does."""
    entrypoint = (f"/{program.name}",) if start else ()
    return Image((reference,), (_layer(program, folder, others),), entrypoint)


def _pilot(reference: str, folder: Path, certificates: Mapping[str, Item]) -> Image:
    items = {
        **certificates,
        **_users(),
        "usr/local/bin/pilot-discovery": Item(source=folder / "pilot-discovery"),
        _BOOTSTRAP: Item(source=folder / Path(_BOOTSTRAP).name, mode=0o644),
        "tmp": Item(mode=0o1777),
    }
    user = f"{_ISTIO_USER}:{_ISTIO_USER}"
    return Image((reference,), (Layer(items),), ("/usr/local/bin/pilot-discovery",), user)


def _proxy(reference: str, folder: Path, below: tuple[Layer, ...]) -> Image:
    items = {
        "usr/local/bin/pilot-agent": Item(source=folder / "pilot-agent"),
        _BOOTSTRAP: Item(source=folder / Path(_BOOTSTRAP).name, mode=0o644),
        "etc/istio/proxy": Item(owner=_ISTIO_USER),
        "var/lib/istio/data": Item(owner=_ISTIO_USER),
    }
    user = f"{_ISTIO_USER}:{_ISTIO_USER}"
    return Image((reference,), (*below, Layer(items)), ("/usr/local/bin/pilot-agent",), user)
