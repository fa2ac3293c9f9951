"""`meshproof enter`: a shell, or one command, with what reaches a lab's clusters."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from meshproof.cli.commands import HELP
from meshproof.cli.complete import complete_labs
from meshproof.console import say_line
from meshproof.engine import choose_engine
from meshproof.errors import LabError, MeshproofError, UsageError
from meshproof.lab.ownership import Claim, Description, object_name, real_state_dir
from meshproof.lab.sweep import find
from meshproof.lab.tools import put_kubeconfigs, put_programs
from meshproof.nearest import choose
from meshproof.owned import STATE, check_not_foreign
from meshproof.process import Shell
from meshproof.writing import written

_AFTER = "meshproof-after"
_SHELLS = ("/bin/bash", "/bin/sh")


class _WithCommand(TyperCommand):
    """Keeps what comes after "--" apart, which is none of the command's own words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what comes before it."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_AFTER] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


enter_app = typer.Typer(add_completion=False)


@enter_app.command(cls=_WithCommand, context_settings=HELP, options_metavar="[OPTIONS]")
def enter(
    ctx: typer.Context,
    lab: Annotated[
        str,
        typer.Argument(help="the lab's id: eight hexadecimal digits", autocompletion=complete_labs),
    ],
    cluster: Annotated[
        str | None, typer.Argument(help="one of its clusters; by default all, as contexts")
    ] = None,
) -> None:
    """Open a shell in which kubectl and istioctl are of the lab's versions and reach its clusters;
    after "--" comes a command to run instead."""
    Claim(lab)  # what is no id is told first
    check_not_foreign(real_state_dir(), STATE)
    claim = find(lab)
    about = claim.read()
    if about is None or not about.ready:
        raise LabError(
            f"lab {lab} never came up in full, or what it says of itself cannot be read",
            f"remove it with 'meshproof down {lab}'",
        )
    if cluster is not None and cluster not in about.footprint:
        raise UsageError(f"lab {lab} has no cluster '{cluster}'", choose(cluster, about.footprint))
    names = [cluster] if cluster is not None else list(about.footprint)
    command = ctx.meta.get(_AFTER)
    istioctl = _istioctl(claim, names[0])
    engine = choose_engine(Shell(), about.engine)
    folder = put_programs(claim, engine, names, istioctl)
    files = put_kubeconfigs(claim, folder, names)
    environment = entered(os.environ, claim, folder, files)
    if not command:
        _tell(about, names, istioctl)
    _become(command or _shell(environment, folder), environment)


def entered(
    environ: Mapping[str, str], claim: Claim, programs: Path, kubeconfigs: Iterable[Path]
) -> dict[str, str]:
    """The user's own environment, with the lab's programs first on the PATH, and its clusters."""
    return {
        **environ,
        "PATH": f"{programs}:{environ.get('PATH', os.defpath)}",
        "KUBECONFIG": ":".join(map(str, kubeconfigs)),
        "MESHPROOF_LAB": claim.id,
    }


def _istioctl(claim: Claim, cluster: str) -> Path | None:
    """istioctl of the version that the mesh has in a cluster, as it was noted; None where there is
    no mesh, or the store has it no more."""
    from meshproof.mesh.keep import noted_of  # which takes long to be loaded

    try:
        noted = noted_of(claim)
    except MeshproofError:
        return None
    path = Path(noted.istioctl[cluster]) if noted and cluster in noted.istioctl else None
    return path if path is not None and path.is_file() else None


def _tell(about: Description, names: Sequence[str], istioctl: Path | None) -> None:
    which = f"cluster {names[0]}" if len(names) == 1 else f"clusters {', '.join(names)}"
    also = "istioctl of its mesh" if istioctl is not None else "no istioctl, since no mesh is noted"
    say_line(
        f"Lab {about.id}, {which}: kubectl {about.kubernetes}, {also}. 'exit' leaves, and changes "
        "nothing.",
        err=True,
    )
    if len(names) > 1:
        contexts = [f"kind-{object_name(about.id, name)}" for name in names]
        say_line(f"Contexts: {', '.join(contexts)}; the first is current.", err=True)


def _shell(environment: Mapping[str, str], folder: Path) -> list[str]:
    """The user's shell. bash reads a file that sets again what the user's own may have changed: it
    would lead to another cluster."""
    named = environment.get("SHELL", "")
    found = next((one for one in (named, *_SHELLS) if one and os.access(one, os.X_OK)), _SHELLS[-1])
    if Path(found).name != "bash":
        return [found]
    said = {name: quote(environment[name]) for name in ("KUBECONFIG", "MESHPROOF_LAB")}
    lines = (
        "[ ! -f ~/.bashrc ] || . ~/.bashrc",
        f'export PATH={quote(str(folder))}:"$PATH"',
        *(f"export {name}={value}" for name, value in said.items()),
        f'PS1="(lab {environment["MESHPROOF_LAB"]}) $PS1"',
    )
    text = "\n".join(lines) + "\n"
    return [found, "--rcfile", str(written(folder / "bashrc", text, "what the shell reads"))]


def _become(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    """Go on as this program. Raises UsageError when it is none."""
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise UsageError(f"there is no program '{command[0]}' on the PATH", "check the name")
    sys.stdout.flush()
    os.execve(program, list(command), environment)
