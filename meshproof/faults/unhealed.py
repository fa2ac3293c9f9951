"""What is broken on a kept lab by name is written down in it until it is healed: whoever uses the
lab after a process that was killed can say what that has left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from enum import Enum

from pydantic import TypeAdapter, ValidationError

from meshproof.errors import LabError
from meshproof.lab.ownership import Claim
from meshproof.reading import file_errors, read_text
from meshproof.writing import written

_FILE = "faults.json"
_WHAT = "the note of the lab's faults"


class Stays(Enum):
    """What becomes of a fault that nobody heals, since its process was killed."""

    IN_MESH = "in the mesh"
    """What it changed is of the mesh, and goes with that."""
    IN_LAB = "in the lab"
    """It is in the router, in a node, or in what the cluster itself runs by."""
    UNTIL_USED = "until the lab is used"
    """Whoever takes the lab over puts that right."""

    def remedy(self, lab_id: str) -> str:
        """What mends it, in words that can follow a colon."""
        return {
            Stays.IN_MESH: f"'meshproof verify --reuse {lab_id} --repair' installs the mesh anew",
            Stays.IN_LAB: f"nothing mends it but 'meshproof down {lab_id}', which removes the lab",
            Stays.UNTIL_USED: "the lab is put right when it is used next",
        }[self]


@dataclass(frozen=True)
class InForce:
    """A fault with the words that it was given, on the lab of this id."""

    lab: str
    fault: str
    words: list[str]
    stays: Stays

    def __str__(self) -> str:
        called = " ".join((self.fault, *self.words))
        return (
            f"the fault {called} was in force on lab {self.lab} when its process ended, and was "
            f"not healed: {self.stays.remedy(self.lab)}"
        )


_NOTED = TypeAdapter(list[InForce])


@contextmanager
def noted(claim: Claim, fault: InForce, broken: AbstractContextManager[object]) -> Iterator[None]:
    """The fault is in force inside the block, and written down in the lab until it is healed.

    What could not begin is not written down any more; what could not be healed stays so. Raises
    what breaking and healing raise, and LabError when the note cannot be read or written.
    """
    before = unhealed(claim)
    _write(claim, [*before, fault])
    with ExitStack() as healing:
        try:
            healing.enter_context(broken)
        except BaseException:
            _write(claim, before)
            raise
        try:
            yield
        finally:
            healing.close()
            _write(claim, before)


def unhealed(claim: Claim) -> list[InForce]:
    """What was in force when its process was killed, in the order in which it was begun; of a lab
    in use that which is in force. Raises LabError when the note cannot be read."""
    path = claim.folder / _FILE
    if not path.is_file():
        return []
    remedy = f"remove the lab with 'meshproof down {claim.id}'"
    text = read_text(path, _WHAT, remedy=remedy, error=LabError)
    try:
        return _NOTED.validate_json(text, strict=True)
    except ValidationError:
        raise LabError(f"{_WHAT} {path} does not say what is needed", remedy) from None


def forget(claim: Claim, stays: Stays) -> None:
    """Write down no more what stays so, since it is gone. Raises LabError as ``unhealed``."""
    found = unhealed(claim)
    if found:
        _write(claim, [one for one in found if one.stays is not stays])


def _write(claim: Claim, faults: list[InForce]) -> None:
    path = claim.folder / _FILE
    if not faults:
        with file_errors(path, _WHAT, doing="delete", error=LabError):
            path.unlink(missing_ok=True)
        return
    data = [{**asdict(one), "stays": one.stays.value} for one in faults]
    written(path, json.dumps(data), _WHAT, error=LabError)
