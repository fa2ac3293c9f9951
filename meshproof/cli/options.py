"""Options that several commands take, and what is checked before any of them is acted on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from meshproof.artifacts import Store, check_tree
from meshproof.console import Narrator
from meshproof.engine.names import check_engine_name
from meshproof.errors import UsageError
from meshproof.lab.needs import check_programs
from meshproof.lab.network.subnets import check_state_dir
from meshproof.model.addresses import pool_named
from meshproof.paths import working_dir
from meshproof.reading import file_errors
from meshproof.run.selection import check_source
from meshproof.run.session import Choices, Session

EngineOption = Annotated[str | None, typer.Option(help="podman or docker; else the first found")]
SourceOption = Annotated[
    str | None, typer.Option("--artifacts", help="published, built or checkout")
]
CheckoutOption = Annotated[str | None, typer.Option(help="an Istio source tree to build")]
KubernetesOption = Annotated[str | None, typer.Option(help="version, for example 1.36.3")]
IstioOption = Annotated[list[str] | None, typer.Option(help="version; can be given repeatedly")]
PoolOption = Annotated[
    str | None, typer.Option(help="private range for the lab's networks; else the first free one")
]
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
) -> Session:
    """A session for these choices, told of on standard error.

    Raises UsageError for an engine, source or version that there is not, or a pool that cannot be.
    """
    chosen_pool = pool_named(pool) if pool is not None else None
    if engine is not None:
        check_engine_name(engine)
    tree = named("an Istio source tree", checkout) if checkout is not None else None
    check_source(source, tree)
    if tree is not None:
        check_tree(tree)
    choices = Choices(engine, source, tree, kubernetes, tuple(istio or ()), pool=chosen_pool)
    session = Session(choices, [Narrator(Console(stderr=True))])
    session.check_versions()
    return session


def check_ready(session: Session) -> None:
    """See that a lab can be made: an engine, programs, and folders of ours to write to.

    Makes nothing. Raises what making a lab would raise, before anything is built for it.
    """
    check_programs(session.engine)
    check_state_dir()
    Store().check_ours()


def named(what: str, text: str) -> Path:
    """The path that a word of the command line names. Raises UsageError for an empty one, which
    an unset variable leaves, and which would stand for the working directory."""
    if not text:
        raise UsageError(f"{what} is named by an empty word", "name one, or leave it out")
    return absolute(Path(text))


def absolute(path: Path) -> Path:
    """A path of the command line from the root. Raises MeshproofError where there is no working
    directory that it could begin at."""
    # Not Path.resolve(), which raises on a loop of links.
    return path if path.is_absolute() else working_dir() / path


def check_writable(folder: Path, what: str) -> None:
    """Make ``folder``, and see that a file can be written there. Raises MeshproofError."""
    with file_errors(folder, what, doing="write to", remedy="free some space, or name another"):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(_PROBE)
