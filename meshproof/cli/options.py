"""Options that several commands take, and what is checked before any of them is acted on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from meshproof.artifacts import Store, check_tree
from meshproof.cli.asking import like
from meshproof.console import say_line
from meshproof.engine.names import check_engine_name
from meshproof.model import RunRequest
from meshproof.model.addresses import pool_named
from meshproof.narrator import Narrator
from meshproof.paths import named
from meshproof.reading import file_errors
from meshproof.run.exact import exact
from meshproof.run.own_build import check_own_build, own_builds
from meshproof.run.selection import check_source
from meshproof.run.session import Choices, Session

EngineOption = Annotated[str | None, like("engine")]
SourceOption = Annotated[str | None, like("artifacts")]
CheckoutOption = Annotated[str | None, like("checkout")]
KubernetesOption = Annotated[str | None, like("kubernetes")]
IstioOption = Annotated[
    list[str] | None,
    typer.Option(help="version, 'latest', or the newest of one as in 1.31 (repeatable)"),
]
HubOption = Annotated[str | None, like("hub")]
TagOption = Annotated[str | None, like("tag")]
ArchiveOption = Annotated[list[str] | None, like("image_archive")]
UnsupportedOption = Annotated[bool, like("unsupported_kubernetes")]
IstioctlOption = Annotated[str | None, like("istioctl")]
PoolOption = Annotated[str | None, like("pool")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="say what would be removed, and remove nothing")
]

_PROBE = bytes(2**16)


def session_of(
    engine: str | None = None,
    source: str | None = None,
    checkout: str | None = None,
    kubernetes: str | None = None,
    istio: list[str] | None = None,
    pool: str | None = None,
    hub: str | None = None,
    tag: str | None = None,
    istioctl: str | None = None,
    *,
    unsupported: bool = False,
    archives: list[str] | None = None,
    helm: bool = False,
) -> Session:
    """A session for these choices, told of on standard error. ``helm``: whether its artifacts have
    Helm among them.

    Raises UsageError for an engine, source or version that there is not, or a pool or a build of
    Istio that cannot be.
    """
    chosen_pool = pool_named(pool) if pool is not None else None
    if engine is not None:
        check_engine_name(engine)
    tree = named("an Istio source tree", checkout) if checkout is not None else None
    check_source(source, tree)
    if tree is not None:
        check_tree(tree)
    program = named("an istioctl", istioctl) if istioctl is not None else None
    request = RunRequest(
        istio=tuple(istio or ()),
        kubernetes=kubernetes,
        artifacts=source,
        checkout=tree,
        hub=hub,
        tag=tag,
        istioctl=program,
        image_archive=tuple(named("an archive of images", one) for one in archives or ()),
    )
    told: list[str] = []
    request = exact(request, told.append)
    check_own_build(request, request.istio, ())
    choices = Choices(
        engine,
        source,
        tree,
        request.kubernetes,
        request.istio,
        pool=chosen_pool,
        own=own_builds(request, ()),
        unsupported=unsupported,
        archives=request.image_archive,
        helm=helm,
    )
    session = session_for(choices)
    say_lines(told)
    return session


def say_lines(texts: Iterable[str]) -> None:
    """What is told of a command before it begins, on standard error."""
    for text in texts:
        say_line(text, err=True)


def session_for(choices: Choices) -> Session:
    """A session that is told of on standard error. Raises UsageError for a version that there is
    not."""
    session = Session(choices, [Narrator(Console(stderr=True))])
    session.check_versions()
    return session


def check_ready(session: Session) -> None:
    """See that a lab can be made: an engine, programs, and folders of ours to write to.

    Makes nothing. Raises what making a lab would raise, before anything is built for it.
    """
    # Both are loaded when a lab is to be made, not when tests are only listed.
    from meshproof.lab.needs import check_programs
    from meshproof.lab.network.subnets import check_state_dir

    if session.choices.clusters is None:
        check_programs(session.engine)
    check_state_dir()
    Store().check_ours()


def check_writable(folder: Path, what: str) -> None:
    """Make ``folder``, and see that a file can be written there. Raises MeshproofError."""
    with file_errors(folder, what, doing="write to", remedy="free some space, or name another"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
