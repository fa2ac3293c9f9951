"""What meshes expose to each other, as a topology file says it, or as it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.files import read_topology, topology_named
from meshproof.model import Exposure, Flow, Version
from tests.files.sentence import sentence, write

GOOD = """\
name: mine
meshes:
  near: {trust-domain: near.example}
  away: {trust-domain: away.example}
clusters:
  east: {role: primary, mesh: near, network: net-east, gateway: true}
  north: {role: remote, primary: east, network: net-east}
  west: {role: primary, mesh: away, network: net-west, gateway: true}
exposes:
  west:
    helloworld.sample:
      to: [near]
"""
ENTRY = "  west:\n    helloworld.sample:\n      to: [near]\n"


def test_a_federation_exposes_a_service_each_way_and_nobody_reads_the_other() -> None:
    topology = topology_named("federation")
    alpha, beta = topology.exposes
    assert alpha == Exposure("alpha", "helloworld.sample", ("beta",), "helloworld.alpha.global")
    assert (beta.host, topology.providers(beta)) == ("helloworld.sample.global", ("west",))
    assert topology.imports == (("west", alpha), ("east", beta))
    assert topology.pairs == () and topology.twins
    assert len({mesh.root for mesh in topology.meshes}) == 1
    wiring = topology.wiring(topology.footprint(Version(1, 36, 3)))
    assert wiring.between("east", "west") == wiring.between("west", "east") == {Flow.GATEWAY}


def test_a_mesh_stands_for_its_clusters_and_a_name_has_a_default(tmp_path: Path) -> None:
    topology = read_topology(write(tmp_path / "mine.yaml", GOOD))
    (one,) = topology.exposes
    assert one == Exposure("west", "helloworld.sample", ("near",), "helloworld.sample.global")
    assert topology.importers(one) == ("east", "north")
    assert topology.networks_of(topology["east"].mesh) == ("net-east",)


def test_a_topology_that_exposes_nothing_has_no_imports() -> None:
    assert topology_named("multi-primary-flat").imports == ()


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


REFUSED = [
    ("no mapping", changed(ENTRY, "  west\n"), 9, "'exposes' cannot be 'west': write a mapping"),
    ("no services", changed(ENTRY, "  west: [a]\n"), 10, "what west exposes cannot be a list"),
    (
        "no mapping of one",
        changed("\n      to: [near]", " near"),
        11,
        "helloworld.sample, which west exposes cannot be 'near': write services and to whom",
    ),
    (
        "no consumers",
        changed("to: [near]", "as: a.global"),
        11,
        "'to' of helloworld.sample, which west exposes is missing: write a list",
    ),
    ("empty", changed("[near]", "[]"), 12, "west exposes helloworld.sample to nobody"),
    ("an unknown key", changed("to:", "two:"), 12, "the key 'two' of helloworld.sample, which"),
    ("an unknown provider", changed("  west:\n", "  wets:\n"), 10, "'wets' is no mesh and no"),
    ("an unknown consumer", changed("[near]", "[nera]"), 12, "'nera' is no mesh and no cluster"),
    ("its own mesh", changed("[near]", "[away]"), 12, "to west, which is in the same mesh"),
    (
        "an unknown service",
        changed("helloworld.sample:", "sleep.sample:"),
        11,
        "no service 'sleep.sample' that west could expose: write helloworld.sample",
    ),
    (
        "no global name",
        changed("[near]", "[near]\n      as: helloworld.sample.svc.cluster.local"),
        13,
        "is no name to expose a service under: write a DNS name that ends in .global",
    ),
    (
        "no gateway",
        changed("net-west, gateway: true", "net-west"),
        11,
        "west is behind no gateway: add 'gateway: true' to west",
    ),
    (
        "a cluster without versions",
        GOOD.replace("primary: east,", "primary: east, versions: [],").replace(
            ENTRY, ENTRY.replace("west", "north").replace("near", "away")
        ),
        11,
        "north exposes helloworld.sample, and no version of it runs there: give it",
    ),
    (
        "other roots",
        changed("away.example", "away.example, root: other"),
        12,
        "have the roots other and meshproof, so neither takes the other's certificates",
    ),
    (
        "one name twice",
        f"{GOOD}  near: {{helloworld.sample: {{to: [west]}}}}\n",
        13,
        "near and west both expose helloworld.sample.global",
    ),
    (
        "one name of two meshes",
        f"{GOOD}  east: {{helloworld.sample: {{to: [west]}}}}\n",
        13,
        "east and west both expose helloworld.sample.global: give one of them another name",
    ),
    (
        "a mesh and a cluster of one name",
        GOOD.replace("near", "west"),
        10,
        "west is a cluster, and a mesh of other clusters (east, north)",
    ),
]


@pytest.mark.parametrize(("text", "line", "said"), [case[1:] for case in REFUSED])
def test_what_cannot_be_exposed(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = write(tmp_path / "mine.yaml", text)
    message = sentence(read_topology, path)
    assert message.startswith(f"{path}:{line}: ")
    assert said in message


def test_an_external_cluster_has_nothing_to_expose(tmp_path: Path) -> None:
    outside = "  control: {role: external, mesh: near, network: n, kind-config: far}\n"
    served = "  south: {role: remote, primary: control, network: net-east}\nexposes:"
    path = write(tmp_path / "mine.yaml", changed("exposes:", outside + served))
    assert read_topology(path).importers(read_topology(path).exposes[0])[-1] == "south"
    write(path, changed("exposes:", outside + served).replace("[near]", "[control]"))
    assert "control is external, so no workloads call" in sentence(read_topology, path)
