"""Makes the options of `meshproof verify` out of the fields of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Annotated, Any

import typer

from meshproof.cli.complete import (
    complete_labs,
    complete_runs,
    complete_suites,
    complete_topologies,
)
from meshproof.files import request_from
from meshproof.model.request import OPTIONS, VERIFYS, Option


def asking(
    command: Callable[..., None], *, instead: Mapping[str, str | None] = MappingProxyType({})
) -> Callable[..., None]:
    """A command that takes the options of a request, and those that ``command`` takes by keyword;
    ``command`` is given the request that they come to first.

    ``instead``: by field what its page of help says of an option that means another thing there;
    None for one that it does not show, since the command has its own words for it.
    """
    own = list(signature(command, eval_str=True).parameters.values())[1:]

    def asked(**given: Any) -> None:
        others = {one.name: given.pop(one.name) for one in own}
        # None is what typer makes of an option that is not there.
        said = {name: value for name, value in given.items() if value is not None}
        command(request_from(said), **others)

    taken = [
        _parameter(one, instead.get(one.field, one.help))
        for one in OPTIONS.values()
        if VERIFYS not in one.hidden
    ]
    found = signature(asked).replace(parameters=[*taken, *own])
    asked.__signature__ = found  # type: ignore[attr-defined]
    asked.__annotations__ = {one.name: one.annotation for one in found.parameters.values()}
    asked.__name__, asked.__doc__ = command.__name__, command.__doc__
    return asked


def like(name: str) -> Any:
    """The option of a command that takes one field of a request alone."""
    return typer.Option(OPTIONS[name].of(VERIFYS), help=OPTIONS[name].help, metavar=_metavar(name))


def _parameter(option: Option, said: str | None) -> Parameter:
    """An option with what its help says, None for one that is not shown. Values are texts: what is
    a path and what is none is told in our own words."""
    complete = _completion(option)
    if option.positional:
        about: Any = typer.Argument(
            help=said, metavar=_metavar(option.field), autocompletion=complete
        )
    else:
        about = typer.Option(
            option.of(VERIFYS),
            *filter(None, [option.short]),
            help=f"{said} (repeatable)" if option.several else said,
            hidden=said is None,
            metavar=_metavar(option.field),
            autocompletion=complete,
        )
    kind: Any = bool if option.kind is bool else list[str] | None if option.several else str | None
    return Parameter(
        option.field,
        Parameter.KEYWORD_ONLY,
        default=False if option.kind is bool else None,
        annotation=Annotated[kind, about],
    )


_COMPLETED: Mapping[str, Callable[[str], list[str]]] = {
    "topology": complete_topologies,
    "suite": complete_suites,
    "reuse": complete_labs,
    "rerun_failed": complete_runs,
}


def _completion(option: Option) -> Callable[[str], list[str]] | None:
    """What a shell completes of an option: the words that it takes, or names that there are."""
    if option.choices:
        return lambda incomplete: [one for one in option.choices if one.startswith(incomplete)]
    return _COMPLETED.get(option.field)


def _metavar(name: str) -> str | None:
    return OPTIONS[name].shown or None
