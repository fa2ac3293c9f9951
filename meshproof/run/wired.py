"""How a kept lab is to be wired, for whoever takes it over without judging anything on it."""

from __future__ import annotations

from meshproof.errors import UsageError
from meshproof.files import topology_named, topology_names
from meshproof.lab.ownership import Claim, Description
from meshproof.mesh.keep import noted_of
from meshproof.model import Footprint, Wiring, wiring_named

_NAMED = ("isolated", "flat")


def wiring_of_kept(claim: Claim, about: Description, footprint: Footprint) -> Wiring:
    """As the lab's mesh needs it, by what was noted when that was installed, whatever a run that
    was killed has left; without a mesh as the lab was left.

    Raises UsageError where nobody knows how that was, LabError where the note cannot be read.
    """
    noted = noted_of(claim)
    if noted is not None and noted.wired is not None:
        return noted.wired.wiring()
    name = about.wiring if noted is None else noted.name.partition("+")[0]
    if noted is None and name in _NAMED:
        return wiring_named(name, footprint)
    if name in topology_names():
        return topology_named(name).wiring(footprint)
    if noted is None:
        cause = f"lab {claim.id} has no mesh and is wired as {name!r}, and nobody noted how that is"
    else:
        cause = f"lab {claim.id} holds a mesh of {name}, and an older meshproof noted of it how it "
        cause += "is wired by that name alone, which is no topology of meshproof's own"
    remedy = f"run 'meshproof verify --reuse {claim.id}' with what it was made for, which wires it"
    raise UsageError(cause, remedy)
