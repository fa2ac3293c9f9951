"""What istiods are told to run."""

from __future__ import annotations

from pathlib import Path

from meshproof.mesh.istiod import CONTAINER
from meshproof.mutants.istiods import State, command_of, template_for
from meshproof.mutants.source import VARIABLE

PROGRAM = Path("/store/objects/0123456789abcdef0123/pilot-discovery")


def test_a_program_is_found_in_pods_by_its_content() -> None:
    assert command_of(PROGRAM) == "/mutants/0123456789abcdef/pilot-discovery"


def test_a_mutant_that_is_on_has_its_program_and_its_name() -> None:
    spec = template_for(State(command_of(PROGRAM), "no-print"))["spec"]
    (container,) = spec["containers"]
    assert container["name"] == CONTAINER
    assert container["command"] == [command_of(PROGRAM)]
    assert container["env"] == [{"name": VARIABLE, "value": "no-print"}]
    (mount,) = container["volumeMounts"]
    (volume,) = spec["volumes"]
    assert mount == {"name": volume["name"], "mountPath": "/mutants", "readOnly": True}
    assert volume["hostPath"] == {"path": "/meshproof-mutants", "type": "Directory"}


def test_with_none_on_the_program_stays_and_the_name_goes() -> None:
    (container,) = template_for(State(command_of(PROGRAM)))["spec"]["containers"]
    assert container["command"] == [command_of(PROGRAM)]
    assert container["env"] == [{"name": VARIABLE, "$patch": "delete"}]


def test_of_the_images_own_program_nothing_is_left() -> None:
    spec = template_for(State())["spec"]
    (container,) = spec["containers"]
    assert container["command"] is None
    left = [*container["env"], *container["volumeMounts"], *spec["volumes"]]
    assert [one for one in left if one.get("$patch") != "delete"] == []
