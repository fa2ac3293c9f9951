"""What a federation takes to keep: counted from what is applied, before a change and after."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.errors import ModelError
from meshproof.files import read_topology, topology_named
from meshproof.mesh.upkeep import growing, upkeep
from meshproof.model.growth import with_another_mesh
from meshproof.report.topologies import UPKEEP, upkeep_row
from meshproof.resources import resource
from meshproof.workloads.sample import SERVED

FEDERATION = topology_named("federation")
ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
TWO_SERVICES_APART = """\
name: mine
meshes:
  near: {trust-domain: near.example, root: one}
  far: {trust-domain: far.example, root: one}
  alone: {trust-domain: alone.example, root: other}
clusters:
  east: {role: primary, mesh: near, network: net-east, gateway: true}
  west: {role: primary, mesh: far, network: net-west, gateway: {port: 8443}}
  north: {role: primary, mesh: alone, network: net-north}
exposes:
  far: {helloworld.sample: {to: [near]}}
"""


def test_the_table_of_the_page_is_what_is_counted() -> None:
    page = (resource("docs") / "upkeep.md").read_text(encoding="utf-8")
    written = {int(number): tuple(cells.split(" | ")) for number, cells in ROW.findall(page)}
    kept = list(growing(FEDERATION, [SERVED], 6))
    assert written == {one.meshes: upkeep_row(one) for one in kept}
    assert list(written) == [2, 3, 4, 5, 6]
    assert f"| meshes | {' | '.join(UPKEEP)} |" in page


def test_all_grows_with_the_square_of_meshes() -> None:
    """A Gateway and an entry for each mesh, and an entry and a rule for each ordered pair."""
    for found in growing(FEDERATION, [SERVED], 6):
        meshes = found.meshes
        assert found.objects == 2 * meshes + 2 * meshes * (meshes - 1)
        assert (found.another.new, found.another.other) == (4 * meshes + 2, 0)
        assert (found.trust.new, found.trust.other) == (1, meshes)
        assert (found.worst_move.new, found.worst_move.other) == (0, meshes - 1)
        assert len(found.moves) == meshes


def test_a_move_changes_the_entries_of_those_who_import_and_no_others() -> None:
    kept = upkeep(topology_named("federation-of-three"), [SERVED])
    clusters = {name: one.clusters for name, one in kept.moves.items()}
    assert clusters == {"east": ("west", "far"), "west": ("east",)}


def test_where_a_mesh_has_two_clusters_both_have_the_entry() -> None:
    kept = upkeep(topology_named("hybrid"), [SERVED])
    assert kept.moves["far"].clusters == ("east", "west") == kept.worst_move.clusters
    assert kept.moves["east"].clusters == kept.moves["west"].clusters == ("far",)


def test_a_mesh_more_is_one_of_the_federation_and_of_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(TWO_SERVICES_APART)
    before = read_topology(path)
    after = with_another_mesh(before)
    (member,) = after.members[len(before.members) :]
    assert (member.mesh.root, member.primary) == ("one", member.name)
    first, own = after.exposes
    assert first == replace(before.exposes[0], consumers=("near", member.mesh.name))
    assert (own.consumers, own.host) == (("near", "far"), f"helloworld.{member.mesh.name}.global")
    assert after.versions.keys() - before.versions.keys() == {"v4"}


def test_what_exposes_nothing_takes_nothing() -> None:
    with pytest.raises(ModelError, match="exposes nothing"):
        upkeep(topology_named("zones"), [SERVED])
