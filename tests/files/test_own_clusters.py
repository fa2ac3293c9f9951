"""Which clusters of one's own a run is to have, as words and as a file: or one sentence why not."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from meshproof.errors import UsageError
from meshproof.files import check_all_named, read_own_clusters
from tests.lab.own.api import TOKEN, write_kubeconfig

EAST, WEST = "https://10.0.0.1:6443", "https://10.0.0.2:6443"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    contexts = {"kind-east": EAST, "arn:aws:eks:eu:west": WEST}
    return write_kubeconfig(tmp_path / "config", contexts, current="kind-east")


def test_words_name_clusters_files_and_contexts(kubeconfig: Path) -> None:
    words = [f"east={kubeconfig}:kind-east", f"west={kubeconfig}:arn:aws:eks:eu:west"]
    east, west = read_own_clusters(words, None)
    assert (east.name, east.context, east.server, east.kubeconfig) == (
        "east",
        "kind-east",
        EAST,
        kubeconfig,
    )
    assert (west.context, west.server) == ("arn:aws:eks:eu:west", WEST)
    assert TOKEN not in repr((east, west))


def test_without_a_context_it_is_the_current_one(kubeconfig: Path) -> None:
    (east,) = read_own_clusters([f"east={kubeconfig}"], None)
    assert east.context == "kind-east"


def test_a_file_of_them_says_more(kubeconfig: Path, tmp_path: Path) -> None:
    file = tmp_path / "clusters.yaml"
    west = {"kubeconfig": "config", "context": "arn:aws:eks:eu:west", "pods": "10.8.0.0/16"}
    west["api"] = "https://west.example:443"
    known = {"east": {"kubeconfig": str(kubeconfig)}, "west": west}
    file.write_text(yaml.safe_dump({"clusters": known}))
    east, other = read_own_clusters([], file)
    assert (east.api, east.pods, east.services) == ("", None, None)
    assert (other.api, other.pods) == ("https://west.example:443", IPv4Network("10.8.0.0/16"))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("east", "--cluster 'east' names no cluster and file: write it as in --cluster east=FILE"),
        ("East=FILE", "'East' is no name for a cluster"),
        ("east=FILE:kind-eats", "has no context 'kind-eats': did you mean kind-east"),
        ("east=NOWHERE:x", "there is no kubeconfig .*nowhere"),
    ],
)
def test_what_a_word_cannot_say_is_one_sentence(
    kubeconfig: Path, tmp_path: Path, word: str, told: str
) -> None:
    said = word.replace("FILE", str(kubeconfig)).replace("NOWHERE", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=told):
        read_own_clusters([said], None)


def test_a_name_is_named_once(kubeconfig: Path) -> None:
    with pytest.raises(UsageError, match="cluster east is named twice"):
        read_own_clusters([f"east={kubeconfig}"] * 2, None)


def written(tmp_path: Path, **changed: object) -> Path:
    path = write_kubeconfig(tmp_path / "config", {"x": EAST}, current="x")
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**content, **changed}))
    return path


def test_a_kubeconfig_that_leads_nowhere_or_by_a_proxy_is_refused(tmp_path: Path) -> None:
    for changed, told in (
        ({"current-context": ""}, "has no current context, and none is named for east"),
        ({"clusters": []}, "leads to cluster 'x-c', of which the file says no server"),
        (
            {"clusters": [{"name": "x-c", "cluster": {"server": EAST, "proxy-url": "http://p"}}]},
            r"leads by a proxy \(proxy-url\)",
        ),
        (
            {"clusters": [{"name": "x-c", "cluster": {"server": "http://10.0.0.1"}}]},
            "the server of east is 'http://10.0.0.1': name it as in https://",
        ),
        ({"contexts": "x"}, "is not as they are at 'contexts'"),
    ):
        path = written(tmp_path, **changed)
        with pytest.raises(UsageError, match=told):
            read_own_clusters([f"east={path}"], None)


def test_of_what_is_no_kubeconfig_nothing_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(f"users:\n- token: {TOKEN}\n  {TOKEN}: [")
    with pytest.raises(UsageError, match=r"is no YAML \(line 3\)") as raised:
        read_own_clusters([f"east={path}"], None)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("clusters: {}", r"clusters.yaml:1: 'clusters' names none: write an entry"),
        ("clusters:\n  east:", r"clusters.yaml:2: 'clusters.east' is not as it can be"),
        ("clusters:\n  east: {context: x}", r":2: 'clusters.east.kubeconfig' is missing: write"),
        (
            "clusters:\n  east: {kubeconfig: config, context: 5}",
            r":2: 'clusters.east.context' is no text: write an entry",
        ),
        (
            "clusters:\n  east:\n    kubeconfig: config\n    namespace: x",
            r"clusters.yaml:4: the key 'clusters.east.namespace' is unknown: write an entry",
        ),
        (
            "clusters:\n  east:\n    kubeconfig: config\n    pods: everywhere",
            r"clusters.yaml:2: 'pods' is 'everywhere', which is no range",
        ),
        (
            "clusters:\n  east:\n    kubeconfig: config\n    context: kind-eats",
            r"clusters.yaml:2: the kubeconfig .* has no context 'kind-eats'",
        ),
    ],
)
def test_what_a_file_cannot_say_is_told_with_its_line(
    kubeconfig: Path, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "clusters.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=told):
        read_own_clusters([], file)


def test_each_cluster_of_a_topology_is_named_and_no_other(kubeconfig: Path) -> None:
    own = read_own_clusters([f"east={kubeconfig}"], None)
    check_all_named(own, {"one": ["east"]})
    with pytest.raises(UsageError, match="no --cluster says which is west"):
        check_all_named(own, {"two": ["east", "west"]})
    with pytest.raises(UsageError, match=r"--cluster names east, and no topology .* cluster of"):
        check_all_named(own, {"other": []})
