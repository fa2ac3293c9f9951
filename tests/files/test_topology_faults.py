"""What is wrong in a topology file is told in one sentence, with its line and a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import EXIT_USAGE, UsageError
from meshproof.files import read_topology
from meshproof.resources import resource


def complaint(folder: Path, text: str | bytes) -> str:
    """What reading ``text`` is refused with, without the folder."""
    path = folder / "any name.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UsageError) as raised:
        read_topology(path)
    assert raised.value.exit_code == EXIT_USAGE
    assert raised.value.remedy
    message = str(raised.value)
    assert message.endswith(".") and "\n" not in message
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{path}:")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read_topology(tmp_path / "none.yaml")
    assert str(raised.value) == (
        f"there is no topology file {tmp_path}/none.yaml: name one that exists."
    )
    with pytest.raises(UsageError, match=r"cannot read the topology file .* \(is a directory\)"):
        read_topology(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file is empty: write {name: mine, clusters:"),
        ("# only a comment\n\n", "1: the file is empty"),
        ("---\n", "1: the file is empty"),
        ("# list\n- east\n- west\n", "2: this is not a mapping: write {name: mine"),
        ("east, west\n", "1: this is not a mapping"),
        ("name: t\nclusters: {east: {\n", "3: this is not YAML (while parsing a flow node, "),
        ("name: t\nclusters:\n\teast: {}\n", "3: this is not YAML (while scanning for the next"),
        ("name: a: b\n", "1: this is not YAML (mapping values are not allowed here)"),
        ("name: t\nclusters: *east\n", "2: this is not YAML (found undefined alias"),
        ("name: t\n---\nname: u\n", "2: a second document begins here: keep one"),
        ("name: t\nclusters: \x01\n", "2: this is not YAML (special characters are not allowed)"),
        (b"name: t\nclusters: \xff\n", "2: this is not UTF-8: save the file as UTF-8."),
        ("[" * 5000, "1: this is nested too deeply: write {name: mine"),
        ("name: t\n? [a]\n: b\n", "2: a key is not a word"),
    ],
)
def test_what_is_no_mapping_in_yaml(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


EAST = "name: t\nclusters:\n  east: {role: primary, network: a}\n"
"""Three lines; a cluster that a case adds begins in the fourth."""

BOTH = """\
name: t
clusters:
  east:
    role: primary
    network: a
  west:
    role: remote
    network: b
    gateway: true
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Keys that are unknown, missing, or there twice.
        (
            EAST + "cluster: {}\n",
            "4: the key 'cluster' is unknown: did you mean clusters.",
        ),
        (EAST + "mesh: one\n", "4: the key 'mesh' is unknown: it belongs under clusters."),
        (EAST + "meshes: [one]\n", "4: 'meshes' cannot be a list: write a mapping such as {one: "),
        (
            EAST + "meshes: {one: {domain: x}}\n",
            "4: the key 'domain' of mesh one is unknown: did you mean trust-domain.",
        ),
        (EAST + "meshes: {one: {trust-domain: 1}}\n", "4: 'trust-domain' of mesh one cannot be 1"),
        (EAST + "meshes: {one: yes}\n", "4: mesh one cannot be yes: write a mapping such as"),
        (EAST + "meshes: {One: {}}\n", "4: 'meshes' cannot have the key 'One': write a mapping"),
        (
            BOTH.replace("    network: b", "    netwrok: b"),
            "8: the key 'netwrok' of cluster west is unknown: did you mean network.",
        ),
        (
            BOTH + "    kindConfig: west\n",
            "10: the key 'kindConfig' of cluster west is unknown: did you mean kind-config.",
        ),
        (
            BOTH + "    kind_config: west\n",
            "10: the key 'kind_config' of cluster west is unknown: did you mean kind-config.",
        ),
        (
            BOTH + "    version: 1.31.0\n",
            "10: the key 'version' of cluster west is unknown: did you mean versions or region.",
        ),
        ("name: t\n", "1: 'clusters' is missing: write a mapping such as {east: {"),
        ("clusters: {east: {role: primary, network: a}}\n", "1: 'name' is missing: write a name"),
        (
            BOTH.replace("    network: b\n", ""),
            "6: 'network' of cluster west is missing: write a name such as net-east",
        ),
        (
            EAST + "  west: {}\n",
            "4: 'role' of cluster west is missing: write primary, remote or external.",
        ),
        (
            EAST + "  west: {role: remote, network: a}\n  east: {role: primary, network: b}\n",
            "5: the key 'east' comes a second time, after line 3: rename or remove one of the two.",
        ),
        (
            BOTH + "    network: c\n",
            "10: the key 'network' comes a second time, after line 8: rename",
        ),
        (EAST + "name: u\n", "4: the key 'name' comes a second time, after line 1"),
        # Values of the wrong type.
        ("name: 5\nclusters: {}\n", "1: 'name' cannot be 5: write a name such as two-primaries"),
        ("name: Two Words\nclusters: {}\n", "1: 'name' cannot be 'Two Words': write a name"),
        ("name: t\nclusters: [east, west]\n", "2: 'clusters' cannot be a list: write a mapping"),
        ("name: t\nclusters:\n", "2: 'clusters' cannot be empty: write a mapping"),
        (
            EAST + "  west: remote\n",
            "4: cluster west cannot be 'remote': "
            "write a mapping such as {role: primary, network: shared}.",
        ),
        (EAST + "  west:\n", "4: cluster west cannot be empty: write a mapping"),
        (
            BOTH.replace("network: b", "network: 5"),
            "8: 'network' of cluster west cannot be 5: "
            "write a name such as net-east, in quotes if it is a number.",
        ),
        (
            BOTH.replace("network: b", "network: n w"),
            "8: 'network' of cluster west cannot be 'n w'",
        ),
        (BOTH.replace("network: b", "network: é"), "8: 'network' of cluster west cannot be 'é'"),
        (BOTH.replace("network: b", "network: !!int é"), "8: 'network' of cluster west cannot be"),
        (
            BOTH.replace("gateway: true", "gateway: maybe"),
            "9: 'gateway' of cluster west cannot be 'maybe': "
            "write true, false, or a mapping such as {port: 15443, hostname: true}.",
        ),
        (
            BOTH.replace("gateway: true", 'gateway: "true"'),
            "9: 'gateway' of cluster west cannot be 'true': write true, false, or a mapping",
        ),
        (
            BOTH.replace("gateway: true", "gateway: {port: 15012}"),
            "9: 'gateway.port' of cluster west cannot be 15012: "
            "write a port that is not 15012, 15017, 15021.",
        ),
        (BOTH.replace("gateway: true", "gateway: {port: 0}"), "9: 'gateway.port' of cluster west"),
        (
            BOTH.replace("gateway: true", "gateway: {hostname: gw.example}"),
            "9: 'gateway.hostname' of cluster west cannot be 'gw.example': write true for a "
            "gateway that is announced by a host name, which the lab chooses, or false.",
        ),
        (
            BOTH.replace("gateway: true", "gateway: {prot: 1}"),
            "9: the key 'prot' of 'gateway' of cluster west is unknown: did you mean port.",
        ),
        (
            BOTH + "    versions: v1\n",
            "10: 'versions' of cluster west cannot be 'v1': write a li",
        ),
        (
            BOTH + "    versions: [1]\n",
            "10: 'versions' of cluster west cannot be a list: write",
        ),
        (BOTH + "    versions: [v1, v1]\n", "10: 'versions' of cluster west cannot be a list"),
        (BOTH + "    versions: {v1: two}\n", "10: 'versions.v1' of cluster west cannot be 'two'"),
        (BOTH + "    reads: east\n", "10: 'reads' of cluster west cannot be 'east': write a list"),
        (BOTH + "    zones: r1-a\n", "10: 'zones' of cluster west cannot be 'r1-a': write a list"),
        (BOTH + "    region: r 1\n", "10: 'region' of cluster west cannot be 'r 1': write a name"),
        (BOTH + "    primary: [east]\n", "10: 'primary' of cluster west cannot be a list: write"),
        (BOTH + "    kind-config: {a: b}\n", "10: 'kind-config' of cluster west cannot be a map"),
        (BOTH + "    primary: true\n", "10: 'primary' of cluster west cannot be true: write"),
        (
            BOTH.replace("role: remote", "role: secondary"),
            "7: 'role' of cluster west cannot be 'secondary': write primary, remote or external.",
        ),
        (BOTH.replace("role: remote", "role:"), "7: 'role' of cluster west cannot be empty: write"),
        # Aliases that lead into themselves end somewhere.
        ("&t\nname: t\nclusters: *t\n", "3: this alias leads into itself: write out what"),
        ("name: t\nclusters: &c\n  east: *c\n", "3: this alias leads into itself"),
        # Names of clusters.
        (
            EAST + "  west_2: {role: remote, network: a}\n",
            "4: 'west_2' is no name for a cluster: "
            "use lower-case letters, digits and hyphens between them.",
        ),
        (EAST + "  West: {role: remote, network: a}\n", "4: 'West' is no name for a cluster"),
        (EAST + "  -5: {role: remote, network: a}\n", "4: '-5' is no name for a cluster"),
        (EAST + "  é: {role: remote, network: a}\n", "4: 'é' is no name for a cluster"),
    ],
)
def test_keys_and_values(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: t\nclusters: {}\n", "2: topology t has no clusters: describe at least one"),
        (
            "name: t\n\nclusters:\n  west: {role: remote, network: a}\n",
            "3: topology t has no primary, so no cluster would run istiod: "
            "give one cluster the role primary.",
        ),
        (
            EAST + "  far: {role: primary, network: a}\n  west: {role: remote, network: a}\n",
            "5: west is a remote and does not say which primary serves it: "
            "add 'primary: east' or 'primary: far'.",
        ),
        (
            BOTH + "    primary: far\n",
            "10: the primary of west is 'far', which is no cluster here: name east.",
        ),
        (
            BOTH + "    primary: west\n",
            "10: the primary of west is west, which has the role remote: "
            "name east, or give west the role primary.",
        ),
        (
            EAST + "  west: {role: primary, primary: east, network: a}\n",
            "4: west is a primary and cannot be served by 'east': "
            "leave 'primary' out, or give west the role remote.",
        ),
        (
            BOTH,
            "3: west is on another network than its primary east, which has no gateway to reach "
            "istiod through: add 'gateway: true' to east.",
        ),
        (
            BOTH.replace("network: a", "network: a\n    gateway: false"),
            "6: west is on another network than its primary east",
        ),
        (
            BOTH.replace("network: a", "network: a\n    gateway: true").replace(
                "b\n    gateway: true", "b"
            ),
            "7: no cluster on the network b has a gateway, so no other network reaches it: "
            "add 'gateway: true' to west.",
        ),
        (
            EAST + "  west: {role: primary, network: a, versions: [], region: r1}\n",
            "4: no version of helloworld runs in west, so nothing tells its region: "
            "leave 'region' and 'zones' out.",
        ),
        (
            EAST.replace("role: primary", "role: remote")
            + "  far: {role: external, network: b, region: r1}\n",
            "4: no version of helloworld runs in far, so nothing tells its region",
        ),
        (
            EAST.replace("network: a", "network: a, gateway: {hostname: true}"),
            "3: the gateway of east is announced by a host name, and its mesh has no other network "
            "that would call it: leave 'hostname' out, or put a cluster on another network.",
        ),
        (
            "name: t\nmeshes: {a: {}, b: {}}\nclusters:\n"
            "  east: {role: primary, network: n, mesh: a, gateway: true}\n"
            "  west: {role: primary, network: n, mesh: b}\n"
            "  far: {role: primary, network: m, mesh: b, gateway: true}\n",
            "5: no cluster of the mesh b on the network n has a gateway, so no other network "
            "reaches it: add 'gateway: true' to west.",
        ),
        (
            BOTH.replace("network: b", "network: a") + "    kind-config: same\n",
            "8: east (pods 10.10.0.0/16, services 10.110.0.0/16) and west (pods 10.10.0.0/16, "
            "services 10.110.0.0/16) share the network a, but their ranges overlap: "
            "give them disjoint ranges, or put them on networks of their own.",
        ),
        (
            EAST + "  nowhere: {role: remote, network: a}\n",
            "4: there is no kind configuration 'nowhere' for cluster nowhere: "
            "set 'kind-config' to one of east",
        ),
        (
            "name: t\nmeshes: {a: {}, b: {}}\nclusters:\n  east: {role: primary, network: n}\n",
            "4: east does not say which mesh it is in: add 'mesh: a' or 'mesh: b'.",
        ),
        (
            EAST.replace("network: a", "network: a, mesh: one"),
            "3: the mesh of east is 'one', which is none of the 'meshes': add 'meshes: {one: {}}'.",
        ),
        (
            EAST.replace("network: a", "network: a, versions: []"),
            "2: no version of helloworld runs anywhere, so there is nothing to call: give one",
        ),
        (
            EAST.replace("network: a", "network: a, reads: [far]"),
            "3: east cannot read 'far': leave 'reads' out.",
        ),
        (
            BOTH + "    kind-config: kind/none.yaml\n",
            "10: there is no kind configuration 'kind/none.yaml' for cluster west",
        ),
    ],
)
def test_what_cannot_exist_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_a_kind_config_at_fault_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    text = (resource("kind-configs") / "west.yaml").read_text()
    (tmp_path / "own.yaml").write_text(text.replace("CNI: true", "CNI: false"))
    message = complaint(tmp_path, BOTH + "    kind-config: own.yaml\n")
    assert message.startswith(
        f"10: {tmp_path}/own.yaml:8: networking.disableDefaultCNI must be true: "
    )
