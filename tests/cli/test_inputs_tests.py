"""One test, or a lab, or a variant: pytest is asked whether there are such tests, which takes two
seconds, so these are few."""

from __future__ import annotations

import pytest

from meshproof.files import read_footprint
from meshproof.model import Version
from tests.cli.harness import Case, check, refused, unable
from tests.cli.laid import LAB_ID, all_of, lab, noted_mesh
from tests.cli.world import World

PART = "test_every_version_answers"
FOOTPRINT = read_footprint("east,west", Version(1, 36, 3))
OURS = {"footprint": FOOTPRINT.kind_configs, "digests": FOOTPRINT.digests}
ROWS = [
    refused(
        "a part of a name", f"verify primary-remote-flat --only {PART}", "did you mean suites/"
    ),
    refused(
        "a lab of other clusters",
        f"verify primary-remote-flat --reuse {LAB_ID}",
        f"lab {LAB_ID} is made of far",
        lay=lab(footprint={"far": "far"}),
    ),
    refused(
        "a lab of files that were edited since",
        f"verify primary-remote-flat --reuse {LAB_ID}",
        f"lab {LAB_ID} is made of east, west, and no test",
        lay=lab(**OURS | {"digests": dict.fromkeys(FOOTPRINT.digests, "0" * 16)}),
    ),
    refused(
        "a lab with another mesh",
        f"verify primary-remote-flat --mtls strict --reuse {LAB_ID}",
        f"lab {LAB_ID} holds multi-primary-flat+1.31.1+strict, and primary-remote-flat+",
        "add --repair",
        lay=all_of(lab(**OURS), noted_mesh("multi-primary-flat+1.31.1+strict")),
    ),
    unable(
        "a lab whose mesh is another lab's",
        f"verify primary-remote-flat --mtls strict --reuse {LAB_ID}",
        "tells of lab 'deadbeef', not of lab",
        lay=all_of(lab(**OURS), noted_mesh("x", lab="deadbeef")),
    ),
]


@pytest.mark.parametrize("one", ROWS)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
