"""Checks a document against a pydantic model; what does not fit is told in words of our own.

A field's description is the remedy for a value that it cannot have: "write true or false". So is
``REMEDY`` of a model of which a list or mapping holds several.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from meshproof.errors import UsageError
from meshproof.files.document import At, Document, shown
from meshproof.nearest import choose

Model = TypeVar("Model", bound=BaseModel)


def dotted(at: At) -> str:
    """A place as users of Kubernetes write it: "nodes[1].role"."""
    words = (f"[{step}]" if isinstance(step, int) else f".{_word(step)}" for step in at)
    return "".join(words).removeprefix(".")


def check(
    document: Document,
    content: object,
    model: type[Model],
    called: Callable[[At], str] = dotted,
) -> Model:
    """``content``, which is the document's, as a model. ``called`` names a place in messages.

    Raises UsageError with the line for the first key or value that the model does not have.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # A key that is unknown goes first: it explains why another one is missing.
        found = error.errors(include_url=False)
        first = min(found, key=lambda detail: detail["type"] != "extra_forbidden")
        raise _error(document, model, first, called) from None


def _error(
    document: Document, model: type[BaseModel], detail: ErrorDetails, called: Callable[[At], str]
) -> UsageError:
    at: At = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        holder = f" of {called(at[:-1])}" if len(at) > 1 else ""
        cause = f"the key {shown(str(at[-1]))}{holder} is unknown"
        return document.error(at, cause, _instead(model, at))
    inner, field = _walk(model, at)
    if at[-1] == "[key]" and at not in document.written:  # pydantic's mark for an entry's name
        at, name = at[:-2], shown(str(at[-2]))
        remedy = (field.description if field else None) or "rename it"
        return document.error((*at, name), f"{called(at)} cannot have the key {name}", remedy)
    remedy = (field.description if field else None) or "leave it out"
    if field is _walk(model, at[:-1])[1]:
        remedy = getattr(inner, "REMEDY", remedy)
    if detail["type"] == "missing":
        return document.error(at, f"{called(at)} is missing", remedy)
    if detail["type"] == "string_too_long":
        cause = f"{called(at)} has more than {detail['ctx']['max_length']} characters"
        return document.error(at, cause, "write a shorter one")
    return document.error(at, f"{called(at)} cannot be {document.written.get(at, 'this')}", remedy)


def _instead(model: type[BaseModel], at: At) -> str:
    """The remedy for a key that is unknown at ``at``."""
    key, (holder, _) = str(at[-1]), _walk(model, at[:-1])
    for home, field in _fields(model).items():
        if len(at) > 1 and get_origin(field.annotation) is dict:
            continue  # entries of one kind have nothing to do with those of another
        inner = _inner(field.annotation)
        if inner not in (None, holder) and key in _fields(inner):
            return f"it belongs under {home}"
    return choose(key, _fields(holder))


def _walk(model: type[BaseModel] | None, at: At) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model of the mapping at a place, and the field that the place is, or lies in."""
    found, is_entry = None, False
    for step in at:
        field = None if is_entry else _fields(model).get(str(step))
        is_entry = False
        if field is not None:
            found, model = field, _inner(field.annotation)
            is_entry = get_origin(field.annotation) is dict  # whose keys anybody may choose
    return model, found


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    """A model's fields, by their names in files."""
    fields = model.model_fields if model else {}
    return {field.alias or name: field for name, field in fields.items()}


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as ``list[Model]``, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((one for part in get_args(annotation) if (one := _inner(part))), None)


def _word(key: str) -> str:
    return key if key.isprintable() and len(key) <= 60 else shown(key)
