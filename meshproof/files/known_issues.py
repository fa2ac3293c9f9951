"""Reads the catalogue of known issues: YAML in, KnownIssue out, or one sentence with the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from meshproof.errors import ModelError
from meshproof.files.document import At, Document, read_document
from meshproof.files.schema import check, dotted
from meshproof.model import CONDITIONS, KnownIssue, Mtls

_CATALOGUE = Path(__file__).parent.parent / "known-issues.yaml"
_EXAMPLE = "known-issues: []"
_ONE = (
    "write a mapping with 'behaviour', 'link', 'istio', 'seen' and 'observed', and perhaps 'when', "
    "'topologies' or 'mtls'"
)


def _several(value: object) -> object:
    """One text is a list of it."""
    return [value] if isinstance(value, str) else value


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    REMEDY: ClassVar = _ONE
    behaviour: str = Field(description="write the id of one, as 'meshproof behaviours' shows it")
    link: str = Field(description="write one as in https://github.com/istio/istio/issues/32819")
    istio: str = Field(description='write versions as in ">=1.29,<1.32"')
    when: list[str] = Field([], description=f"write a list of {', '.join(CONDITIONS)}")
    topologies: list[str] = Field([], description="write a list such as [overlapping-cidrs]")
    mtls: list[Mtls] = Field([], description=f"write a list of {', '.join(Mtls)}")
    seen: str = Field(min_length=1, description="write what users see of it, in a sentence")
    observed: Annotated[list[str], BeforeValidator(_several)] = Field(
        description="write a regular expression, or several, that match in full what the verdict "
        "observes"
    )


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid")
    known_issues: list[_Entry] = Field(alias="known-issues", description=_ONE)


def read_known_issues(path: Path = _CATALOGUE) -> tuple[KnownIssue, ...]:
    """The known issues of a catalogue, by default of the one that travels with meshproof.

    Raises UsageError, one sentence beginning with "file:line: ", for what is no catalogue, and for
    an entry that says what there is not.
    """
    document = read_document(path, "catalogue of known issues", f"write '{_EXAMPLE}'")
    entries = check(document, document.content, _Catalogue, _called).known_issues
    return tuple(_issue(document, number, one) for number, one in enumerate(entries))


def _called(at: At) -> str:
    """What messages call a place: "'link' of known issue 2"."""
    if len(at) < 2:
        return f"'{dotted(at)}'"
    holder = f"known issue {int(at[1]) + 1}"
    return holder if len(at) == 2 else f"'{dotted(at[2:])}' of {holder}"


def _issue(document: Document, number: int, entry: _Entry) -> KnownIssue:
    at: At = ("known-issues", number)
    try:
        versions = SpecifierSet(entry.istio)
    except InvalidSpecifier:
        cause = f"'{entry.istio}' is no range of versions"
        raise document.error((*at, "istio"), cause, 'write it as in ">=1.29,<1.32"') from None
    try:
        return KnownIssue(
            entry.link,
            entry.behaviour,
            versions,
            " ".join(entry.seen.split()),
            tuple(entry.observed),
            tuple(entry.when),
            tuple(entry.topologies),
            tuple(entry.mtls),
        )
    except ModelError as error:
        raise document.error(at, error.cause, error.remedy) from None
