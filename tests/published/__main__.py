"""`make published`: everything that is judged here has come by the published way, from an empty
store; nothing is pulled twice; and what a machine without a way out is given is enough for it.

Takes the registry's program. Needs root, podman and what was built here.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from meshproof.artifacts import Bundle, Store, catalog, default_wanted
from meshproof.artifacts.built import Built, istio_from_modules
from meshproof.artifacts.published import needed_by
from meshproof.artifacts.releases import LIST
from meshproof.artifacts.usual import usual_kubernetes
from meshproof.console import say_line
from meshproof.engine import Engine, choose_engine
from meshproof.events import Recorder
from meshproof.narrator import Narrator
from meshproof.process import Shell
from tests.artifacts.outside import Answer, Outside, outside
from tests.published.hub import COMPANYS, HUB, Hub
from tests.published.registry import registry
from tests.published.shape import Shaped, shaped

_MINE, _TAG = f"{COMPANYS}/me", "mine"
_RELEASES = "github.com/istio/istio/releases/download"
_KINDS = "github.com/kubernetes-sigs/kind/releases/download"
_ASSETS = "release-assets.githubusercontent.com"
_SYSTEMS = Path("/etc/ssl/certs/ca-certificates.crt")
_NO_WAY_OUT = {"HTTPS_PROXY": "http://127.0.0.1:9"}
"""A port on which nobody listens."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("registry", type=Path, help="distribution's program 'registry'")
    parser.add_argument("topologies", nargs="*", default=["bare", "primary-remote-flat"])
    given = parser.parse_args()
    recorder = Recorder(listeners=[Narrator(Console(stderr=True))])
    engine = choose_engine(Shell(recorder))
    if engine.name != "podman":
        sys.exit("docker's daemon pulls by proxies of its own, which this does not change: podman")
    with tempfile.TemporaryDirectory(prefix="meshproof-published-") as place:
        _run(Path(place), given.registry.resolve(), given.topologies, engine, recorder)


def _run(
    place: Path, program: Path, topologies: list[str], engine: Engine, recorder: Recorder
) -> None:
    wanted = default_wanted()
    (node,) = (name for name in _names() if "/kindest/node:" in name)
    for name in _names():
        if engine.image_id(name) is not None:
            sys.exit(
                f"{engine.name} has {name} already, so that pulling it would prove nothing; remove "
                f"it by '{engine.name} image rm {name}'"
            )
    built = Built(wanted, engine, recorder, Store(), istio_from_modules(wanted, engine, recorder))
    bundle = built.bundle()
    programs, debian = built.programs()
    for name in ("certificates", "images", "registry"):
        (place / name).mkdir()
    images = shaped(
        place / "images",
        str(wanted.kubernetes),
        programs,
        debian,
        engine,
        node=node,
        hub=_MINE,
        tag=_TAG,
    )
    with registry(program, place / "registry") as there:
        Hub.behind = there.port
        for archive, host in ((images.node, "docker.io"), (images.istio, "docker.io")):
            there.push(archive, host=host)
        there.push(images.mine, host=COMPANYS)
        with outside(place / "certificates", Hub) as public:
            _publish(public, bundle)
            try:
                _prove(place, public, topologies, engine, images, bundle)
            finally:
                _forget(engine)


def _names() -> list[str]:
    """Of all images that are pulled here, where nobody names a version."""
    kubernetes = usual_kubernetes("published", lambda: True)
    mine = (f"{_MINE}/{name}:{_TAG}" for name in ("pilot", "proxyv2"))
    return [*needed_by(replace(default_wanted(), kubernetes=kubernetes)), *mine]


def _forget(engine: Engine) -> None:
    """Let the engine have none of them: what comes next must bring them."""
    for name in _names():
        engine.remove_image(name)


def _publish(public: Outside, bundle: Bundle) -> None:
    """The release files of what was built, and the list of releases; GitHub leads on to where its
    files are."""
    for version, program in bundle.istioctl.items():
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            archive.add(program, "istioctl")
        name = f"istioctl-{version}-linux-amd64.tar.gz"
        _release(public, f"{_RELEASES}/{version}/{name}", packed.getvalue())
    kind = catalog().companion("kind")
    _release(public, f"{_KINDS}/v{kind}/kind-linux-amd64", bundle.kind.read_bytes())
    listed = [
        {"tag_name": str(version), "draft": False, "prerelease": bool(version.suffix)}
        for version in bundle.istioctl
    ]
    public.answers[LIST.removeprefix("https://")] = Answer(json.dumps(listed).encode())


def _release(public: Outside, place: str, content: bytes) -> None:
    public.publish(f"https://{place}", content)
    asset = f"{_ASSETS}/{place.rpartition('/')[2]}"
    public.answers[asset] = public.answers[place]
    public.answers[place] = Answer(status=302, headers={"Location": f"https://{asset}"})


def _prove(
    place: Path,
    public: Outside,
    topologies: list[str],
    engine: Engine,
    images: Shaped,
    bundle: Bundle,
) -> None:
    _pulled(place, public, topologies, engine)
    _forget(engine)
    file = place / "artifacts.zip"
    alone = {**_environment(place, public, "loaded"), **_NO_WAY_OUT}
    with _store(alone):
        meshproof(alone, "artifacts", "load", str(file))
        meshproof(alone, "verify", "bare", "--artifacts", "published", "--enforce")
    given = {**_environment(place, public, "given"), **_NO_WAY_OUT}
    brought = place / "brought"
    brought.mkdir()
    shutil.copy(bundle.kind, brought / "kind")
    given["PATH"] = f"{brought}:{given['PATH']}"
    (program,) = bundle.istioctl.values()
    _forget(engine)
    with _store(given):
        archives = [f"--image-archive={one}" for one in (images.node, images.istio)]
        meshproof(given, "artifacts", "build", *archives, f"--istioctl={program}")


def _pulled(place: Path, public: Outside, topologies: list[str], engine: Engine) -> None:
    """From an empty store to the verdict; once more; a build of one's own; and a push."""
    environment = _environment(place, public, "store")
    with _store(environment):
        begin = time.monotonic()
        # Without --artifacts: a registry answers, and nothing was built.
        meshproof(environment, "verify", *topologies, "--enforce")
        seconds, sent = time.monotonic() - begin, Hub.sent[HUB]
        twice = [digest for digest, times in Hub.fetched.items() if times > 1]
        _check(not twice, f"pulled twice: {', '.join(twice)}")
        _check(sent > 0, "nothing was pulled at all")
        meshproof(environment, "artifacts", "pull", "--istio", "latest")
        _check(Hub.sent[HUB] == sent, "what is there was asked for again")
        asked = len(public.asked)
        meshproof(environment, "artifacts", "build", "--artifacts", "published")
        _check(len(public.asked) == asked, "a release's file was fetched again")
        meshproof(environment, "artifacts", "save", str(place / "artifacts.zip"))
        own = ("--hub", _MINE, "--tag", _TAG, "--istio", str(default_wanted().istio[-1]))
        meshproof(environment, "verify", "primary-remote-split-horizon", *own, "--enforce")
        pushed = meshproof(environment, "artifacts", "push", _MINE).splitlines()[-1]
        engine.command("pull", pushed, env=environment, timeout=600)
        engine.remove_image(pushed)
    say_line(f"from an empty store to the verdict: {seconds:.0f} s, {sent / 2**20:.0f} MiB pulled")


def meshproof(environment: Mapping[str, str], *words: str) -> str:
    """Run a command that must hold; returns what it printed."""
    say_line(f"$ meshproof {' '.join(words)}")
    argv = [sys.executable, "-m", "meshproof", *words]
    said = []
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            say_line(line.rstrip("\n"))
            said.append(line)
    _check(process.returncode == 0, f"meshproof {words[0]} ended with {process.returncode}")
    return "".join(said)


def _environment(place: Path, public: Outside, store: str) -> dict[str, str]:
    """What a user has there: a company's proxy and authority, and a store that is empty. Where Go's
    modules and Python's wheels are is no part of it."""
    bundle = place / "authorities.pem"
    bundle.write_bytes(_SYSTEMS.read_bytes() + public.authority.read_bytes())
    said = subprocess.run(["go", "env", "GOPROXY"], capture_output=True, text=True, check=True)
    hosts = [urlsplit(one).hostname for one in said.stdout.strip().replace("|", ",").split(",")]
    hosts.append(urlsplit(os.environ.get("PIP_INDEX_URL", "https://pypi.org")).hostname)
    direct = ["sum.golang.org", "files.pythonhosted.org", "127.0.0.1", *filter(None, hosts)]
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    kept.pop("MESHPROOF_REGISTRY", None)
    goproxy = os.environ.get("GOPROXY")
    return {
        **kept,
        **({"GOPROXY": goproxy} if goproxy else {}),
        "HTTPS_PROXY": public.proxy,
        "NO_PROXY": ",".join(direct),
        "SSL_CERT_FILE": str(bundle),
        "MESHPROOF_STORE": str(place / store),
    }


@contextmanager
def _store(environment: Mapping[str, str]) -> Iterator[None]:
    """A store of its own, and nothing of it in the engine afterwards."""
    try:
        yield
    finally:
        argv = [sys.executable, "-m", "meshproof", "artifacts", "prune", "--all"]
        subprocess.run(argv, env=environment, stdout=subprocess.DEVNULL, check=False)


def _check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"not proven: {what}")


if __name__ == "__main__":
    main()
