"""The catalogue of mutants: what each changes in istiod, and which behaviour must notice.

One YAML file a family lies in ``catalogue/``; the objects under which some show, in
``settings.yaml``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from meshproof.errors import ModelError, UsageError
from meshproof.model.behaviour import check_id
from meshproof.nearest import choose

_HERE = Path(__file__).parent
_FAMILIES = _HERE / "catalogue"
_SETTINGS = _HERE / "settings.yaml"
FOUND = "@found"
"""In what is put in place: the text that was found, as it is."""
_WORDS = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")
_MOST_LINES = 4
"""As much of Istio's text as a mutant may quote to find its place."""

_SOMETHING = (
    r"\b(east|west|v\d+|sleep|helloworld|gateway|istiod|port \d+|call \S+|route \S+|certificate|"
    r"identity|\d+\.\d+\.\d+\.\d+)\b"
)
"""What a verdict's words must name at least: a cluster, a version, a workload, or the like."""
_OBSERVED = "; observed "
"""What stands before that in the words of a verdict (``Verdict.__str__``)."""
_MOST_NAMED = 20
"""As many names as a sentence may list."""

Place = Literal["sleep", "helloworld", "gateway", "istiod"]
View = Literal[
    "clusters",
    "endpoints",
    "routes",
    "listeners",
    "names",
    "certificate",
    "shards",
    "new-namespace",
]


def _is_id(text: str) -> str:
    if not _WORDS.fullmatch(text):
        raise ValueError(f"'{text}' is not made of lower-case words with hyphens between them")
    return text


def _is_behaviour(text: str) -> str:
    try:
        check_id(text)
    except ModelError as error:
        raise ValueError(error.cause) from None
    return text


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from None
    return text


_Kind = TypeVar("_Kind", bound=BaseModel)
_Id = Annotated[str, AfterValidator(_is_id)]
_BehaviourId = Annotated[str, AfterValidator(_is_behaviour)]
_Pattern = Annotated[str, AfterValidator(_is_pattern)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Edit(_Strict):
    """One change of a file.

    ``file``: from the top of Istio's tree; ``find``: consecutive lines, of which blanks at their
    beginnings do not count; ``within``: a line above them (a function's first) from which to the
    function's end they are looked for, where they are not the only ones of their kind; ``put``:
    what takes their place, in which ``@found`` stands for them; ``imports``: packages that the
    file needs besides, by path, or by name and path.
    """

    file: str
    find: str
    put: str
    within: str = ""
    imports: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def lines(self) -> list[str]:
        """The lines that are looked for."""
        return [line.strip() for line in self.find.strip("\n").split("\n")]

    @model_validator(mode="after")
    def _is_short(self) -> Edit:
        if len(self.lines) > _MOST_LINES or not all(self.lines):
            raise ValueError(f"'find' of {self.file} must be one to {_MOST_LINES} lines of text")
        return self


class Shows(_Strict):
    """Where a mutant is seen to be in force.

    ``at``: whose view is compared, in every cluster that has such workloads;
    ``look``: at which part of it.
    """

    at: Place
    look: View

    def __str__(self) -> str:
        return f"the {self.look} of {self.at}"


class Mutant(_Strict):
    """One small fault.

    ``what``: the fault, as a sentence of what istiod does; ``notices``: the behaviour that must
    notice it; ``tells``: a regular expression that is in what its verdict observed, where a
    cluster, version or workload that is named is not enough; ``missing``: that there is no
    behaviour of this id yet; ``plain``: whether plain
    distribution is expected to stay "green" or to turn "red"; ``topology``: the shape of the one
    that it is judged on; ``under``: settings in which it shows; ``after``: changes that istiod
    has to see, one after the other, for it to show; ``renew``: workloads get new certificates
    whenever it is switched; ``short``: one of the few that `meshproof mutants --short` is about;
    ``explained``: why nothing has to notice it, or what is missing for somebody to.
    """

    id: _Id
    what: str
    edits: tuple[Edit, ...] = Field(strict=False, min_length=1)
    notices: _BehaviourId
    tells: _Pattern = _SOMETHING
    missing: bool = False
    plain: Literal["green", "red"]
    topology: Literal["flat", "split", "primaries"]
    under: tuple[str, ...] = Field(default=(), strict=False)
    after: tuple[Literal["one-instance-more", "secret-rewritten", "secret-removed"], ...] = Field(
        default=(), strict=False
    )
    renew: bool = False
    shows: Shows
    short: bool = False
    explained: str = ""
    family: str = ""

    @model_validator(mode="after")
    def _is_guarded(self) -> Mutant:
        for edit in self.edits:
            if f'"{self.id}"' not in edit.put:
                raise ValueError(f"'put' of {edit.file} does not ask whether {self.id} is on")
            if FOUND not in edit.put:
                raise ValueError(f"'put' of {edit.file} leaves out what was found ({FOUND})")
        return self

    @property
    def is_equivalent(self) -> bool:
        """Whether nothing has to notice it, for the reason that is told."""
        return bool(self.explained) and not self.missing

    def is_named_by(self, why: str) -> bool:
        """Whether what a verdict observed tells of this fault; ``why``: the verdict's words."""
        return re.search(self.tells, why.partition(_OBSERVED)[2] or why) is not None


class Setting(_Strict):
    """Objects under which a mutant shows. ``where``: in the clusters whose configuration counts,
    or, where Services belong, in all that have workloads, or in the last of those alone."""

    where: Literal["config", "workloads", "last"] = "config"
    objects: tuple[dict[str, Any], ...] = Field(strict=False, min_length=1)


def load(folder: Path = _FAMILIES) -> tuple[Mutant, ...]:
    """All mutants, by family. Raises ModelError that names the file and what is wrong in it."""
    found: list[Mutant] = []
    for path in sorted(folder.glob("*.yaml")):
        for entry in _read(path):
            with_family = {**entry, "family": path.stem} if isinstance(entry, dict) else entry
            found.append(_checked(Mutant, with_family, path))
    _check_all(found)
    return tuple(found)


@cache
def catalogue() -> tuple[Mutant, ...]:
    """The catalogue that travels with meshproof."""
    mutants, known = load(), settings()
    for mutant in mutants:
        for name in mutant.under:
            if name not in known:
                raise ModelError(
                    f"mutant {mutant.id} needs a setting '{name}'", choose(name, known)
                )
    return mutants


@cache
def settings(path: Path = _SETTINGS) -> dict[str, Setting]:
    """The settings by name. Raises ModelError as ``load`` does."""
    return {name: _checked(Setting, value, path) for name, value in _read(path).items()}


def chosen(
    ids: Sequence[str] = (),
    families: Sequence[str] = (),
    shapes: Sequence[str] = (),
    *,
    short: bool = False,
) -> tuple[Mutant, ...]:
    """The mutants that are asked for: those of these ids, families and shapes of topology, each
    narrowing what the others leave; all where none is given. Raises UsageError for what there is
    not, and when nothing is left."""
    mutants = catalogue()
    _check_known("mutant", ids, [one.id for one in mutants])
    _check_known("family of mutants", families, [one.family for one in mutants])
    _check_known("shape of topology", shapes, [one.topology for one in mutants])
    left = tuple(
        one
        for one in mutants
        if (not ids or one.id in ids)
        and (not families or one.family in families)
        and (not shapes or one.topology in shapes)
        and (one.short or not short)
    )
    if not left:
        raise UsageError("no mutant is all of what was asked for", "ask for less at once")
    return left


def _check_known(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            remedy = choose(name, dict.fromkeys(known))
            far = len(set(known)) > _MOST_NAMED and remedy.startswith("choose")
            listed = "see 'meshproof mutants --list'" if far else remedy
            raise UsageError(f"there is no {what} '{name}'", listed)


def _check_all(mutants: Sequence[Mutant]) -> None:
    twice = [name for name, count in Counter(one.id for one in mutants).items() if count > 1]
    if twice:
        raise ModelError(f"there are two mutants {twice[0]}", "give one of them another id")


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _checked(kind: type[_Kind], data: Any, path: Path) -> _Kind:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        name = data.get("id", "?") if isinstance(data, dict) else "?"
        raise ModelError(f"{path.name}: {name}: {where}: {first['msg']}") from None
