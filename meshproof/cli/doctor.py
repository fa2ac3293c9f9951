"""`meshproof doctor`: what this machine lacks, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from meshproof.cli.options import EngineOption, SourceOption
from meshproof.engine.names import check_engine_name
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD
from meshproof.process import Shell
from meshproof.run.selection import check_source


def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="mend what can be mended")] = False,
    engine: EngineOption = None,
    source: SourceOption = None,
) -> None:
    """Check what the lab needs of this machine, and say what to do."""
    from meshproof.doctor import Finding, Level, examine, mend

    if engine is not None:
        check_engine_name(engine)
    if source != "checkout":
        check_source(source, None)
    shell = Shell()
    findings = examine(shell, engine=engine, source=source)
    if fix and any(finding.fix and finding.level is not Level.OK for finding in findings):
        mend(findings, shell, shell.recorder, typer.echo)
        findings = examine(shell, engine=engine, source=source)
    console = Console()

    def show(finding: Finding) -> None:
        text = Text(f"{finding.level.name:5} {finding.name}: {finding.found}", overflow="fold")
        console.print(text)
        if finding.remedy and finding.level is not Level.OK:
            remedy = Text(f"→ {finding.remedy}", overflow="fold")
            console.print(Padding(remedy, (0, 0, 0, 6)))

    for finding in findings:
        show(finding)
    counts = [sum(one.level is level for one in findings) for level in (Level.FAIL, Level.WARN)]
    ready = "This machine is ready" if not counts[0] else "This machine is not ready"
    console.print(f"{ready}: {counts[0]} failed, {counts[1]} to know of.", highlight=False)
    raise typer.Exit(EXIT_COULD_NOT_TELL if counts[0] else EXIT_HELD)
