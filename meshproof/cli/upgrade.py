"""`meshproof upgrade`: what it costs a mesh to get from one Istio to another, step by step."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer

from meshproof.cli.asking import asking
from meshproof.cli.verify import (
    CollectOnlyOption,
    DryRunOption,
    JsonOption,
    QuietOption,
    go_on_as_verify,
)
from meshproof.errors import UsageError
from meshproof.model import Profile, RunRequest
from meshproof.model.request import AUTO

_SUITE = "upgrade"
_USUAL = ("primary-remote-split-horizon", "multi-primary-split-horizon")
"""Both kinds of control, across networks."""


@partial(
    asking,
    instead={
        "topology": "a topology's name; by default both kinds of control plane across networks",
        "istio": None,
        "upgrade_to": None,
    },
)
def upgrade(
    request: RunRequest,
    *,
    old: Annotated[
        str | None, typer.Option("--from", metavar="VERSION", help="the Istio to begin with")
    ] = None,
    new: Annotated[
        str | None, typer.Option("--to", metavar="VERSION", help="the Istio to get to")
    ] = None,
    collect_only: CollectOnlyOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Upgrade a mesh step by step while calls go on, judge it after each, and say what held, what
    was lost and how long it took."""
    go_on_as_verify(
        _asked(request, old, new),
        collect_only=collect_only,
        dry_run=dry_run,
        quiet=quiet,
        json=json,
    )


def _asked(request: RunRequest, old: str | None, new: str | None) -> RunRequest:
    """The request for the suite of upgrades. Raises UsageError for one that says it in two ways, or
    does not say from where to where."""
    if request.istio or request.upgrade_to is not None:
        raise UsageError("an upgrade is asked for by --from and --to", "leave the other two out")
    if old is None or new is None:
        lacking = " and ".join(
            name for name, given in (("--from", old), ("--to", new)) if given is None
        )
        raise UsageError(
            f"an upgrade needs {lacking}", "write it as in '--from 1.31.0 --to 1.31.1'"
        )
    chosen = bool(request.topology or request.topology_file)
    # Labs side by side would disturb each other's calls, which are what is measured.
    workers = "1" if request.workers == AUTO else request.workers
    return replace(
        request,
        istio=(old,),
        upgrade_to=new,
        suite=request.suite or (_SUITE,),
        profile=Profile.ALL.value,
        workers=workers,
        topology=request.topology if chosen else _USUAL,
    )
