"""The command line: verify, behaviours, up, down, status, sweep, doctor, report, bench, artifacts.

`meshproof COMMAND --help` says what each takes.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from meshproof.artifacts_cli import artifacts_app
from meshproof.console import Narrator, wide_console
from meshproof.engine import choose_engine
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD, EXIT_USAGE, MeshproofError, UsageError
from meshproof.events import read
from meshproof.lab import Lab, read_footprint
from meshproof.lab.sweep import State, find, find_all, sweep, take_down
from meshproof.model import VARIANTS, Mtls, wiring_named
from meshproof.options import Options, asked_by, words
from meshproof.process import Shell
from meshproof.report import judged, left_out_in, summary
from meshproof.report.timeline import timeline
from meshproof.resources import resource
from meshproof.selection import usual_topologies
from meshproof.session import Choices, Session, orderly_end
from meshproof.topologies import topology_named, topology_names
from meshproof.workers import AUTO, chosen_workers, one_lab_option

app = typer.Typer(
    help="A conformance test bench for multicluster Istio, on real kind clusters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(artifacts_app, name="artifacts")

_INTERRUPTED = 130
"""What typer makes of a KeyboardInterrupt."""

EngineOption = Annotated[str | None, typer.Option(help="podman or docker; else the first found")]
SourceOption = Annotated[
    str | None, typer.Option("--artifacts", help="published, built or checkout")
]
CheckoutOption = Annotated[Path | None, typer.Option(help="an Istio source tree to build")]
KubernetesOption = Annotated[str | None, typer.Option(help="version, for example 1.36.3")]
IstioOption = Annotated[list[str] | None, typer.Option(help="version; can be given repeatedly")]
KeepOption = Annotated[bool, typer.Option("--keep", help="leave the lab in place at the end")]
ReuseOption = Annotated[str | None, typer.Option(help="use this kept lab instead of a new one")]
TopologiesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="names; by default nearly all. 'bare' stands for clusters without a mesh"),
]
TopologyFileOption = Annotated[
    list[Path] | None, typer.Option(help="a topology of your own; can be given repeatedly")
]
MtlsOption = Annotated[
    list[Mtls] | None, typer.Option(help="instead of the default ones (docs/matrix.md)")
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
IstioByClusterOption = Annotated[
    list[str] | None,
    typer.Option(help="version, or east=1.31.0,west=1.31.1; can be given repeatedly"),
]
WorkersOption = Annotated[
    str, typer.Option(help="labs side by side: a number, or as many as there is room for")
]
_QUIET = ("--no-header", "--no-summary")


@app.command()
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
    workers: WorkersOption = AUTO,
) -> None:
    """Install the topologies, judge every behaviour from evidence, and print the verdict."""
    files = [path.resolve() for path in topology_file or []]
    usual = topology_names() if full or only else usual_topologies()
    options: dict[str, Any] = {
        "topology": topologies or ([] if files and not only else usual),
        "topology_file": files,
        "mtls": mtls,
        "variant": variant,
        "revision": revision,
        "full": full,
        "istio": istio,
        "kubernetes": kubernetes,
        "artifacts": source,
        "checkout": checkout.resolve() if checkout else None,
        "engine": engine,
        "enforce": enforce,
        "sabotage": sabotage,
        "only": only,
        "keep": keep,
        "reuse": reuse,
        "reports": Path("reports").resolve(),
    }
    with orderly_end(_say):
        count = _prepare(options, workers, only_listed=collect_only)
    # A worker that died has left its lab behind, and with it what another would need: none follows.
    spread = ["-n", str(count), "--max-worker-restart=0"] if count > 1 else []
    listed = ["--collect-only", "-q"] if collect_only else ["-qq"]
    _become_pytest(options, [*_QUIET, *listed, *spread])


def _prepare(options: Options, workers: str, *, only_listed: bool) -> int:
    """Say what cannot be before a test starts, and make artifacts by daylight; returns how many
    workers there will be."""
    asked = asked_by(options)
    asked.check()
    one_lab_for = one_lab_option(keep=options["keep"], reuse=options["reuse"])
    count = chosen_workers(workers, asked.topologies, one_lab_for=one_lab_for)
    engine, source, checkout, kubernetes = (
        options[name] for name in ("engine", "artifacts", "checkout", "kubernetes")
    )
    session = _session(engine, source, checkout, kubernetes, list(asked.versions))
    if options["reuse"] is not None:
        find(options["reuse"])
    if only_listed:
        return 1
    if options["only"] is not None or asked.variants or asked.revision is not None:
        _find_tests(options, session)
    _ = session.bundle
    return 1 if options["only"] is not None else count


def _find_tests(options: Options, session: Session) -> None:
    """Ask pytest, which takes two seconds, whether there are the tests that were named."""
    argv = _pytest(options, [*_QUIET, "--collect-only", "-q"])
    found = session.shell.run(argv, check=False)
    if found.returncode == EXIT_USAGE:
        _say(found.stderr.strip())
        raise typer.Exit(EXIT_USAGE)


@app.command()
def behaviours(
    markdown: Annotated[bool, typer.Option("--markdown", help="as docs/behaviours.md")] = False,
) -> None:
    """Print which behaviours are judged on which topologies, and why not on the others."""
    shape = "markdown" if markdown else "table"
    # Without pytest's own report, and what is configured for it, there is the table alone.
    alone = ["-p", "no:terminal", "-o", "addopts=--strict-markers"]
    _become_pytest({"behaviours": shape}, [*alone, "--collect-only", "--full"])


def _become_pytest(options: Options, switches: Sequence[str]) -> NoReturn:
    """Go on as pytest, with the suites: signals and the exit code are then pytest's own."""
    os.execv(sys.executable, _pytest(options, switches))


def _pytest(options: Options, switches: Sequence[str]) -> list[str]:
    """The command line of pytest with the suites."""
    suites = resource("suites")
    argv = [sys.executable, "-m", "pytest", "--conformance", "--capture=no", *switches]
    argv += ["-p", "no:cacheprovider", "--rootdir", str(suites.parent)]
    return [*argv, *words(options), str(suites)]


@app.command()
def up(
    clusters: Annotated[
        str, typer.Option(help="names, each with its kind configuration: east,west=same")
    ] = "east,west",
    wiring: Annotated[str, typer.Option(help="isolated or flat")] = "isolated",
    engine: EngineOption = None,
    source: SourceOption = None,
    checkout: CheckoutOption = None,
    kubernetes: KubernetesOption = None,
    istio: IstioOption = None,
) -> None:
    """Bring up a lab and leave it in place."""
    session = _session(engine, source, checkout, kubernetes, istio)
    footprint = read_footprint(clusters, session.wanted.kubernetes)
    wanted = wiring_named(wiring, footprint)
    with orderly_end(_say), Lab.create(footprint, session.ingredients(), wanted) as lab:
        lab.await_dns()
        lab.keep()
    typer.echo(f"Lab {lab.id} is up. Reach its clusters with:")
    for name in lab.clusters:
        typer.echo(f"  kubectl --kubeconfig {lab.kubeconfig(name)} get nodes")
    typer.echo(f"Remove it with: meshproof down {lab.id}")


@app.command()
def down(lab: Annotated[str, typer.Argument(help="the lab's id")]) -> None:
    """Remove a kept lab."""
    claim = find(lab)
    description = claim.read()
    engine = choose_engine(Shell(), description.engine if description else None)
    if not take_down(engine, claim):
        raise MeshproofError(f"lab {lab} is in use by another process", "end that one first")
    typer.echo(f"Lab {lab} is gone.")


@app.command()
def status() -> None:
    """List the labs on this machine."""
    try:
        labs = find_all(choose_engine(Shell()))
    except MeshproofError as error:
        typer.echo(f"Only folders were looked at: {error}", err=True)
        labs = find_all(None)
    table = Table("lab", "state", "clusters", "Kubernetes", "wiring", "age")
    for found in labs:
        about = found.description
        age = f"{(time.time() - about.created) / 60:.0f} min" if about else "?"
        table.add_row(
            found.claim.id,
            found.state.value,
            ", ".join(about.footprint) if about else "?",
            about.kubernetes if about else "?",
            about.wiring if about else "?",
            age,
        )
    Console().print(table if labs else "No labs.")


@app.command("sweep")
def sweep_command(
    kept: Annotated[bool, typer.Option("--kept", help="remove kept labs too")] = False,
) -> None:
    """Remove what runs that were killed have left behind, and nothing else."""
    removed = sweep(choose_engine(Shell()), also_kept=kept)
    typer.echo(f"Removed: {', '.join(removed)}." if removed else "Nothing to remove.")
    in_use = [found.claim.id for found in find_all(None) if found.state is State.IN_USE]
    if in_use:
        typer.echo(f"In use, left alone: {', '.join(in_use)}.")


@app.command()
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="mend what can be mended")] = False,
    engine: EngineOption = None,
    source: SourceOption = None,
) -> None:
    """Check what the lab needs of this machine, and say what to do."""
    from meshproof.doctor import Level, examine, mend

    shell = Shell()
    findings = examine(shell, engine=engine, source=source)
    if fix and any(finding.fix and finding.level is not Level.OK for finding in findings):
        mend(findings, shell, shell.recorder, typer.echo)
        findings = examine(shell, engine=engine, source=source)
    for finding in findings:
        remedy = f" → {finding.remedy}" if finding.remedy and finding.level is not Level.OK else ""
        typer.echo(f"{finding.level.name:5} {finding.name}: {finding.found}{remedy}")
    failed = any(finding.level is Level.FAIL for finding in findings)
    raise typer.Exit(EXIT_COULD_NOT_TELL if failed else EXIT_HELD)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="a run's folder")],
    times: Annotated[
        bool, typer.Option("--timeline", help="where the time went, by deployment and step")
    ] = False,
) -> None:
    """Print the table of a run again, from its record."""
    record = run / "events.jsonl"
    if not record.is_file():
        raise UsageError(f"{run} is no run's folder: it has no events.jsonl")
    events = read(record)
    table = summary(judged(events), left_out_in(events))
    wide_console().print(timeline(events) if times else table)


@app.command()
def bench(
    rounds: Annotated[int, typer.Option(help="how often each thing is measured")] = 3,
    clusters: Annotated[
        list[str] | None, typer.Option(help="such as east,west; by default one to four")
    ] = None,
    topology: Annotated[list[str] | None, typer.Option(help="by default all")] = None,
    engine: EngineOption = None,
    source: SourceOption = None,
    output: Annotated[Path, typer.Option(help="where the figures go as JSON")] = Path("bench.json"),
) -> None:
    """Measure clusters and meshes, by hand and by meshproof; prints a table and writes JSON.

    With --clusters or --topology only what is named is measured; several topologies are also
    measured in one run of verify.
    """
    from meshproof.bench import FOOTPRINTS, measure

    everything = not clusters and not topology
    whole = everything or len(topology or ()) > 1
    footprints = FOOTPRINTS if everything else clusters or ()
    topologies = topology_names() if everything else topology or ()
    for name in topologies:
        topology_named(name)
    with orderly_end(_say):
        session = _session(engine, source, None, None, None)
        measure(session, rounds, output, wide_console(), footprints, topologies, whole_run=whole)


def main() -> None:
    """The program's entry: errors become one sentence and an exit code; only a defect of ours
    shows a traceback."""
    try:
        code = app(standalone_mode=False)
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
    except MeshproofError as error:
        _say(str(error))
        code = error.exit_code
    except typer.Exit as ending:
        code = ending.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _say(
            "Interrupted. What was not finished is removed; 'meshproof status' shows what is kept."
        )
        code = EXIT_COULD_NOT_TELL
    except Exception as error:
        code = _usage_or_defect(error)
    raise SystemExit(code)


def _usage_or_defect(error: Exception) -> int:
    """Usage errors of the command line library end with 64; anything else is our defect, and
    must not look like a verdict."""
    message = getattr(error, "format_message", None)
    if message is not None:
        _say(message())
        return EXIT_USAGE
    traceback.print_exception(error)
    _say("This is a defect of meshproof: please report it with the lines above.")
    return EXIT_COULD_NOT_TELL


def _session(
    engine: str | None,
    source: str | None,
    checkout: Path | None,
    kubernetes: str | None,
    istio: list[str] | None,
) -> Session:
    choices = Choices(engine, source, checkout, kubernetes, tuple(istio or ()))
    return Session(choices, [Narrator(Console(stderr=True))])


def _say(text: str) -> None:
    typer.echo(text, err=True)
