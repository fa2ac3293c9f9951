"""`meshproof verify`, which goes on as pytest with the suites, and `meshproof behaviours`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from meshproof.cli.options import (
    CheckoutOption,
    EngineOption,
    KubernetesOption,
    PoolOption,
    SourceOption,
    check_ready,
    check_writable,
    named,
    session_of,
)
from meshproof.console import say_line
from meshproof.environment import for_pytest
from meshproof.errors import EXIT_USAGE
from meshproof.files import read_topology, topology_names
from meshproof.first import hold_signals
from meshproof.lab.kept import find_kept
from meshproof.model import VARIANTS, Mtls
from meshproof.resources import resource
from meshproof.run.options import Options, asked_by, words
from meshproof.run.selection import check_pool, usual_topologies
from meshproof.run.session import Session, orderly_end
from meshproof.run.workers import AUTO, chosen_workers, one_lab_option

KeepOption = Annotated[bool, typer.Option("--keep", help="leave the lab in place at the end")]
ReuseOption = Annotated[str | None, typer.Option(help="use this kept lab instead of a new one")]
TopologiesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="names; by default nearly all. 'bare' and 'bare-nodes' (several nodes each) stand "
        "for clusters without a mesh"
    ),
]
TopologyFileOption = Annotated[
    list[str] | None, typer.Option(help="a topology of your own; can be given repeatedly")
]
MtlsOption = Annotated[
    list[str] | None,
    typer.Option(help=f"{', '.join(Mtls)}; instead of the default ones (docs/matrix.md)"),
]
VariantOption = Annotated[
    list[str] | None, typer.Option(help=f"in addition: {', '.join(VARIANTS)}")
]
RevisionOption = Annotated[
    str | None, typer.Option(help="in addition: Istio under this revision's name")
]
FullOption = Annotated[
    bool, typer.Option("--full", help="every topology in every mode and variant")
]
EnforceOption = Annotated[
    bool, typer.Option("--enforce", help="what is skipped undeclared has failed")
]
CollectOnlyOption = Annotated[
    bool, typer.Option("--collect-only", help="list the tests; nothing is brought up")
]
SabotageOption = Annotated[
    bool, typer.Option("--sabotage", help="also break meshes, to see every claim fail")
]
OnlyOption = Annotated[str | None, typer.Option(help="one test, as the summary names it")]
ReportsOption = Annotated[str, typer.Option(help="the folder in which runs are kept")]
IstioByClusterOption = Annotated[
    list[str] | None,
    typer.Option(help="version, or east=1.31.0,west=1.31.1; can be given repeatedly"),
]
WorkersOption = Annotated[
    str, typer.Option(help="labs side by side: a number, or as many as there is room for")
]
_QUIET = ("-qq", "--no-header", "--no-summary")
_LIST = ("-p", "no:terminal", "--collect-only")  # the plugin lists them, and counts


def verify(
    topologies: TopologiesArgument = None,
    topology_file: TopologyFileOption = None,
    mtls: MtlsOption = None,
    variant: VariantOption = None,
    revision: RevisionOption = None,
    full: FullOption = False,
    enforce: EnforceOption = False,
    collect_only: CollectOnlyOption = False,
    sabotage: SabotageOption = False,
    only: OnlyOption = None,
    engine: EngineOption = None,
    source: SourceOption = None,
    checkout: CheckoutOption = None,
    kubernetes: KubernetesOption = None,
    istio: IstioByClusterOption = None,
    keep: KeepOption = False,
    reuse: ReuseOption = None,
    pool: PoolOption = None,
    workers: WorkersOption = AUTO,
    reports: ReportsOption = "reports",
) -> None:
    """Install the topologies, judge every behaviour from evidence, and print the verdict."""
    files = [named("a topology file", path) for path in topology_file or []]
    options: dict[str, Any] = {
        "topology": _names(topologies or [], files, full=full, only=only is not None),
        "topology_file": files,
        "mtls": mtls,
        "variant": variant,
        "revision": revision,
        "full": full,
        "istio": istio,
        "kubernetes": kubernetes,
        "artifacts": source,
        "checkout": named("an Istio source tree", checkout) if checkout is not None else None,
        "engine": engine,
        "enforce": enforce,
        "sabotage": sabotage,
        "only": only,
        "keep": keep,
        "reuse": reuse,
        "pool": pool,
        "reports": named("the folder of reports", reports),
    }
    with orderly_end(_say):
        count = _prepare(options, workers, only_listed=collect_only)
    # A worker that died has left its lab behind, and with it what another would need: none follows.
    spread = ["-n", str(count), "--max-worker-restart=0"] if count > 1 else []
    _become_pytest(options, _LIST if collect_only else [*_QUIET, *spread])


def _names(named: Sequence[str], files: Sequence[Path], *, full: bool, only: bool) -> Sequence[str]:
    """The topologies that are asked for by name, or because none is.

    One test alone is looked for among all of them, but for those that a file takes the name of.
    """
    if named or (files and not only):
        return named
    own = {read_topology(path).name for path in files}
    everything = topology_names() if full or only else usual_topologies()
    return [name for name in everything if name not in own]


def _prepare(options: Options, workers: str, *, only_listed: bool) -> int:
    """Say what cannot be before anything is made, then make the artifacts that are missing.

    Returns how many workers there will be.
    """
    asked = asked_by(options)
    asked.check()
    one_lab_for = one_lab_option(keep=options["keep"], reuse=options["reuse"])
    count = chosen_workers(workers, asked.topologies, one_lab_for=one_lab_for)
    engine, source, kubernetes = (options[name] for name in ("engine", "artifacts", "kubernetes"))
    tree = options["checkout"]
    checkout = str(tree) if tree is not None else None
    pool, reuse = options["pool"], options["reuse"]
    session = session_of(engine, source, checkout, kubernetes, list(asked.versions), pool)
    labs = 1 if options["only"] is not None else count
    check_pool(session.choices.pool, asked.topologies, labs=labs, reuse=reuse)
    if reuse is not None:
        find_kept(reuse)
    if only_listed:
        return 1
    if reuse is not None or options["only"] is not None or asked.variants or asked.revision:
        _find_tests(options, session)
    check_ready(session)
    check_writable(options["reports"], "the folder of reports")
    _ = session.bundle
    return labs


def _find_tests(options: Options, session: Session) -> None:
    """Ask pytest, which takes two seconds, whether there are the tests that were named."""
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = session.shell.run(_pytest(options, _LIST), env=alone, check=False)
    if found.returncode == EXIT_USAGE:
        _say(found.stderr.strip())
        raise typer.Exit(EXIT_USAGE)


def behaviours(
    markdown: Annotated[bool, typer.Option("--markdown", help="as docs/behaviours.md")] = False,
) -> None:
    """Print which behaviours are judged on which topologies, and why not on the others."""
    _become_pytest({"behaviours": "markdown" if markdown else "table"}, [*_LIST, "--full"])


def _become_pytest(options: Options, switches: Sequence[str]) -> NoReturn:
    """Go on as pytest, with the suites: signals and the exit code are then pytest's own."""
    sys.stdout.flush()
    hold_signals()
    os.execve(sys.executable, _pytest(options, switches), for_pytest(os.environ))


def _pytest(options: Options, switches: Sequence[str]) -> list[str]:
    """The command line of pytest with the suites, with their own configuration, and with no other
    plugins than these: what was asked for is what runs, wherever it is run."""
    suites = resource("suites")
    argv = [sys.executable, "-P", "-m", "meshproof.runner", "-c", str(suites / "verify.ini")]
    argv += ["--rootdir", str(suites.parent), "-p", "xdist.plugin", "-p", "meshproof.runner.plugin"]
    argv += ["-p", "no:cacheprovider", "--conformance", "--capture=no", *switches]
    return [*argv, *words(options), str(suites)]


def _say(text: str) -> None:
    say_line(text, err=True)
