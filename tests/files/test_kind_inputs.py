"""A kind configuration with one thing changed: accepted, or one sentence."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.files import find_kind_config, read_cluster, read_clusters, read_footprint
from meshproof.files.kind_config import kind_config_names
from meshproof.model import Version
from tests.files.sentence import sentence, write

GOOD = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  kubeProxyMode: nftables
  disableDefaultCNI: true
  podSubnet: 10.61.0.0/16
  serviceSubnet: 10.255.61.0/24
featureGates: {KubeletInUserNamespace: true}
nodes:
- role: control-plane
- role: worker
- role: worker
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  failSwapOn: false
"""
FULL = """\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking:
  ipFamily: ipv4
  apiServerPort: 6443
  apiServerAddress: 127.0.0.1
  kubeProxyMode: nftables
  disableDefaultCNI: yes
  podSubnet: 10.61.0.0/16
  serviceSubnet: 10.255.61.0/24
  dnsSearch: [a.example]
featureGates: {KubeletInUserNamespace: true}
runtimeConfig: {api/alpha: "false", api/beta: false}
nodes:
- &node
  role: control-plane
  labels: {topology.kubernetes.io/zone: r1-a, tier: 5, empty: ""}
  extraMounts:
  - {hostPath: /tmp, containerPath: /x, readOnly: true, selinuxRelabel: false, propagation: None}
  extraPortMappings:
  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.1, protocol: tcp}
  - {containerPort: 80, hostPort: 8080, listenAddress: 127.0.0.2}
  - {containerPort: 80, hostPort: 8080, protocol: UDP}
  kubeadmConfigPatches: ["kind: JoinConfiguration"]
  kubeadmConfigPatchesJSON6902:
  - {group: kubeadm.k8s.io, version: v1beta4, kind: InitConfiguration, patch: "[]"}
- {<<: *node, role: worker, extraPortMappings: [{containerPort: 81}]}
kubeadmConfigPatches:
- |
  # a comment
  ---
  kind: ClusterConfiguration
  networking: {dnsDomain: cluster.local}
  ---
  kind: KubeletConfiguration
containerdConfigPatches:
- |
  [plugins."io.containerd.cri.v1.runtime"]
    stats_collect_period = "1h"
containerdConfigPatchesJSON6902: ['[{"op": "add", "path": "/a", "value": 1}]']
"""


def changed(*pairs: str) -> str:
    text = GOOD
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


PODS, SERVICES = "10.61.0.0/16", "10.255.61.0/24"
NODES = "nodes:\n- role: control-plane\n- role: worker\n- role: worker\n"
PATCH = "  kind: KubeletConfiguration\n  failSwapOn: false\n"
MASK = "  kind: ClusterConfiguration\n  controllerManager: {extraArgs: {node-cidr-mask-size: %s}}\n"
MASKS = (
    "  kind: ClusterConfiguration\n  controllerManager:\n    extraArgs:\n"
    '    - name: node-cidr-mask-size\n      value: "%s"\n'
)

ACCEPTED = {
    "as it is": GOOD,
    "everything there is": FULL,
    "no nodes": changed(NODES, ""),
    "an empty list of nodes": changed(NODES, "nodes: []\n"),
    "nodes left empty": changed(NODES, "nodes:\n"),
    "a node without a role": changed(NODES, "nodes:\n- {}\n"),
    "a range for exactly its nodes": changed(PODS, "10.61.0.0/22"),
    "one node, one /24": changed(PODS, "10.61.0.0/24", NODES, ""),
    "all of 10": changed(PODS, "10.0.0.0/8", SERVICES, "192.168.0.0/16"),
    "few services": changed(SERVICES, "10.255.61.0/27"),
    "many services": changed(SERVICES, "10.96.0.0/12"),
    "where labs' networks may be": changed(PODS, "172.30.0.0/16", SERVICES, "172.29.0.0/16"),
    "all of 172.16": changed(PODS, "172.16.0.0/12"),
    "smaller shares": changed(PODS, "10.61.0.0/24", PATCH, MASK % '"26"'),
    "smaller shares, listed": changed(PODS, "10.61.0.0/24", PATCH, MASKS % 26),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_accepted(tmp_path: Path, name: str) -> None:
    read_cluster("east", write(tmp_path / "k.yaml", ACCEPTED[name]))


def node(text: str) -> str:
    return changed(NODES, f"nodes:\n- role: control-plane\n- {text}\n")


def pods(text: str) -> str:
    return changed(PODS, text)


def services(text: str) -> str:
    return changed(SERVICES, text)


def patch(text: str) -> str:
    return changed(PATCH, "".join(f"  {line}\n" for line in text.split("\n")))


VERSION = "kind.x-k8s.io/v1alpha4"

REFUSED: list[tuple[str, int, tuple[str, ...]]] = [
    # kind and apiVersion
    (changed("kind: Cluster", "kind: Pod"), 1, ("kind is 'Pod'", "write 'kind: Cluster'")),
    (changed("kind: Cluster\n", ""), 1, ("kind is missing: write 'kind: Cluster'",)),
    (changed("kind: Cluster", "kind:"), 1, ("kind is missing",)),
    (changed(VERSION, "v1"), 2, ("apiVersion is 'v1'", f"write 'apiVersion: {VERSION}'")),
    (changed(VERSION, "kind.sigs.k8s.io/v1alpha3"), 2, ("apiVersion is 'kind.sigs.k8s.io/v1a",)),
    (changed(f"apiVersion: {VERSION}\n", ""), 1, ("apiVersion is missing",)),
    (changed("kind: Cluster", "Kind: Cluster"), 1, ("'Kind' is unknown: did you mean kind",)),
    ("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", 1, ("no configuration of a cluster",)),
    ("name: t\nclusters: {}\n", 1, ("neither kind nor apiVersion", "write 'kind: Cluster'")),
    # keys
    (changed("networking:", "network:"), 3, ("'network' is unknown: did you mean networking",)),
    (changed("podSubnet", "podsubnet"), 6, ("'podsubnet' of networking", "did you mean podSubnet")),
    (changed("podSubnet", "podSubnets"), 6, ("did you mean podSubnet",)),
    (changed("podSubnet", "podCIDR"), 6, ("'podCIDR' of networking is unknown",)),
    (f"{GOOD}podSubnet: 10.0.0.0/8\n", 17, ("it belongs under networking",)),
    (f"{GOOD}extraMounts: []\n", 17, ("it belongs under nodes",)),
    (changed("  podSubnet", "  podSubnet: 10.1.0.0/16\n  podSubnet"), 7, ("a second time, after",)),
    (node("role: worker\n  role: worker"), 12, ("the key 'role' comes a second time",)),
    (changed(f"  podSubnet: {PODS}\n", ""), 3, ("networking.podSubnet is missing: write a range",)),
    (changed(f"  serviceSubnet: {SERVICES}\n", ""), 3, ("networking.serviceSubnet is missing",)),
    (f"kind: Cluster\napiVersion: {VERSION}\n", 1, ("networking is missing", "kubeProxyMode")),
    (f"kind: Cluster\napiVersion: {VERSION}\nnetworking:\n", 3, ("networking is missing",)),
    (
        f"kind: Cluster\napiVersion: {VERSION}\nnetworking: []\n",
        3,
        ("networking cannot be a list",),
    ),
    (f"name: east\n{GOOD}", 1, ("'name' would change nothing", "remove it")),
    # networking
    (changed("nftables", "iptables"), 4, ("kubeProxyMode must be nftables, not iptables",)),
    (changed("  kubeProxyMode: nftables\n", ""), 3, ("must be nftables, not iptables",)),
    (changed("nftables", "nft"), 4, ("kubeProxyMode cannot be 'nft': write nftables",)),
    (changed("CNI: true", "CNI: false"), 5, ("disableDefaultCNI must be true",)),
    (changed("  disableDefaultCNI: true\n", ""), 3, ("disableDefaultCNI must be true",)),
    (changed("CNI: true", 'CNI: "true"'), 5, ("disableDefaultCNI cannot be 'true': write true",)),
    (changed("CNI: true", "CNI: 1"), 5, ("disableDefaultCNI cannot be 1: write true",)),
    (changed("networking:", "networking:\n  ipFamily: ipv6"), 4, ("ipv6, as IPv4 alone is sup",)),
    (changed("networking:", "networking:\n  ipFamily: dual"), 4, ("dual, as IPv4 alone is sup",)),
    (changed("networking:", "networking:\n  ipFamily: v4"), 4, ("cannot be 'v4': leave it out",)),
    (changed("networking:", "networking:\n  apiServerPort: 99999"), 4, ("a number from 1 to",)),
    (changed("networking:", "networking:\n  apiServerPort: high"), 4, ("cannot be 'high'",)),
    (changed("networking:", "networking:\n  apiServerAddress: here"), 4, ("cannot be 'here'",)),
    (changed("networking:", "networking:\n  dnsSearch: a"), 4, ("cannot be 'a': write a list",)),
    # the range of pods
    (pods("10.61.0.0/23"), 6, ("a /24 for each of its 3 nodes", "write at least a /22")),
    (changed(PODS, "10.61.0.0/25", NODES, ""), 6, ("10.61.0.0/25 is too small", "a /24 for its")),
    (pods("10.61.0.0/32"), 6, ("too small",)),
    (pods("10.61.0.0"), 6, ("10.61.0.0 has no prefix length: write it as in 10.61.0.0/16",)),
    (pods("10.61.7.9"), 6, ("write it as in 10.61.0.0/16",)),
    (pods("10.61.0.1/16"), 6, ("10.61.0.1/16 does not begin where", "write 10.61.0.0/16")),
    (pods("10.61.0.0/33"), 6, ("'10.61.0.0/33' is no range of IPv4 addresses",)),
    (pods("10.61.0.0/-1"), 6, ("is no range",)),
    (pods("10.61.0.0/255.255.0.0"), 6, ("is no range",)),
    (pods("10.61.0.0/"), 6, ("is no range",)),
    (pods("10.061.0.0/16"), 6, ("is no range",)),
    (pods("10.61/16"), 6, ("is no range",)),
    (pods("10.61.0.0-10.61.9.0"), 6, ("is no range",)),
    (pods('"10.61.0.0/16 "'), 6, ("'10.61.0.0/16 ' is no range",)),
    (pods("10.61.0.0/1_6"), 6, ("is no range",)),
    (pods("ten"), 6, ("'ten' is no range of IPv4 addresses",)),
    (pods("10"), 6, ("'10' is no range",)),
    (pods("[10.61.0.0/16]"), 6, ("cannot be a list: write a range",)),
    (pods('""'), 6, ("'' is no range",)),
    (pods("fd00:10:10::/56"), 6, ("is an IPv6 range",)),
    (pods("10.61.0.0/16,fd00:10:10::/56"), 6, ("several ranges", "IPv4 alone is supported")),
    (pods("10.61.0.0/16,10.62.0.0/16"), 6, ("several ranges",)),
    (pods("127.0.0.0/16"), 6, ("overlaps 127.0.0.0/8, which is every machine's own (loopback)",)),
    (pods("224.0.0.0/16"), 6, ("multicast",)),
    (pods("169.254.0.0/16"), 6, ("link-local",)),
    (pods("0.0.0.0/0"), 6, ("overlaps 0.0.0.0/8",)),
    (pods("0.0.0.0/16"), 6, ("which stands for no address",)),
    (pods("240.0.0.0/16"), 6, ("class E",)),
    (pods("255.255.0.0/16"), 6, ("class E",)),
    (pods("8.0.0.0/7"), 6, ("too large for kubeadm", "write at most a /8")),
    # the range of Services
    (
        services("10.255.61.0/28"),
        7,
        ("serviceSubnet 10.255.61.0/28 is too small", "at least a /27"),
    ),
    (services("10.192.0.0/11"), 7, ("larger than Kubernetes takes: write at most a /12",)),
    (services("10.61.0.0/16"), 7, ("share addresses: give them disjoint ranges",)),
    (services("10.61.255.0/24"), 7, ("share addresses",)),
    (services("10.255.61.0"), 7, ("has no prefix length",)),
    (services("::1/112"), 7, ("is an IPv6 range",)),
    # nodes
    (changed("- role: control-plane\n", ""), 9, ("0 control planes",)),
    (node("role: control-plane"), 9, ("2 control planes", "exactly one")),
    (node("{}"), 9, ("2 control planes",)),
    (
        node("role: master"),
        11,
        ("nodes[1].role cannot be 'master': write control-plane or worker",),
    ),
    (node("worker"), 11, ("nodes[1] cannot be 'worker': write a mapping such as {role: worker}",)),
    (node(""), 11, ("nodes[1] cannot be empty",)),
    (node("rol: worker"), 11, ("the key 'rol' of nodes[1] is unknown: did you mean role",)),
    (node("role: worker\n  image: kindest/node:v1.30.0"), 12, ("nodes[1].image would change",)),
    (changed(NODES, "nodes: 3\n"), 9, ("nodes cannot be 3: write a list",)),
    (
        changed("- role: control-plane\n", "- {}\n" + "- role: worker\n" * 128),
        9,
        ("131 nodes are more", "120 at most"),
    ),
    (node("role: worker\n  labels: [a]"), 12, ("nodes[1].labels cannot be a list",)),
    (node('role: worker\n  labels: {"a b": c}'), 12, ("labels cannot have the key 'a b'",)),
    (node("role: worker\n  labels: {a: b c}"), 12, ("nodes[1].labels.a cannot be 'b c'",)),
    (node("role: worker\n  extraMounts: [{hostPath: /a}]"), 12, ("containerPath is missing",)),
    (node("role: worker\n  extraMounts: [{hostpath: /a}]"), 12, ("did you mean hostPath",)),
    (node("extraPortMappings: [{containerPort: 0}]"), 11, ("from 1 to 65535",)),
    (node("extraPortMappings: [{containerPort: 80, protocol: http}]"), 11, ("write TCP, UDP or",)),
    (node("extraPortMappings: [{containerPort: 80, listenAddress: me}]"), 11, ("cannot be 'me'",)),
    (
        node(
            "extraPortMappings:\n  - {containerPort: 1, hostPort: 80}\n"
            "  - {containerPort: 2, hostPort: 80, listenAddress: 127.0.0.1}\n  role: worker"
        ),
        13,
        ("nodes[1].extraPortMappings[1].hostPort 80 is taken already",),
    ),
    # gates and patches
    (changed("Namespace: true", "Namespace: maybe"), 8, ("featureGates.KubeletIn", "cannot be 'm")),
    (f"{GOOD}runtimeConfig: [a]\n", 17, ("runtimeConfig cannot be a list",)),
    (
        changed("- |\n" + PATCH, "- kind: KubeletConfiguration\n"),
        14,
        ("Patches[0] cannot be a map",),
    ),
    (patch("kind: [a"), 14, ("in line 2 of kubeadmConfigPatches[0] this is not YAML",)),
    (patch("- a"), 14, ("kubeadmConfigPatches[0] is not a mapping",)),
    (patch("failSwapOn: false"), 14, ("does not say which kind of object it patches",)),
    (patch("kind: KubeletConfig"), 14, ("did you mean KubeletConfiguration",)),
    (
        patch("kind: ClusterConfiguration\nnetworking: {podSubnet: 10.0.0.0/8}"),
        14,
        ("changes podSubnet", "write it as networking.podSubnet"),
    ),
    (changed(PATCH, MASK % 27), 6, ("a /27 (node-cidr-mask-size)", "26 or less")),
    (changed(PODS, "10.61.0.0/25", PATCH, MASKS % 26), 6, ("a /26 for each of its 3 nodes",)),
    (f"{GOOD}kubeadmConfigPatchesJSON6902: [{{kind: X, patch: a}}]\n", 17, ("the kind 'X'",)),
    (
        f"{GOOD}kubeadmConfigPatchesJSON6902: [{{kind: InitConfiguration, patch: a}}]\n",
        17,
        ("kubeadmConfigPatchesJSON6902[0].patch is no list of operations",),
    ),
    (f"{GOOD}containerdConfigPatches: ['[a']\n", 17, ("containerdConfigPatches[0] is not TOML",)),
    (f"{GOOD}containerdConfigPatchesJSON6902: [a]\n", 17, ("[0] is no list of operations",)),
]


@pytest.mark.parametrize(("text", "line", "said"), REFUSED)
def test_what_is_refused(tmp_path: Path, text: str, line: int, said: tuple[str, ...]) -> None:
    path = write(tmp_path / "k.yaml", text)
    message = sentence(lambda path: read_cluster("east", path), path)
    assert message.startswith(f"{path}:{line}: ")
    assert not [words for words in said if words not in message], message


def test_those_that_travel_are_read() -> None:
    assert {"east", "west", "same"} <= set(kind_config_names())
    for name in kind_config_names():
        assert read_cluster("east", name).kind_config == str(find_kind_config(name))


def test_a_cluster_is_known_by_what_its_file_says_wherever_it_lies(tmp_path: Path) -> None:
    def digest(name: str, text: str) -> str:
        return read_cluster("east", write(tmp_path / name, text)).digest

    assert digest("one.yaml", GOOD) == digest("two.yaml", f"# a word\n{GOOD}")
    assert digest("one.yaml", GOOD.replace("10.61.", "10.62.")) != digest("two.yaml", GOOD)


def test_footprints_are_read_from_kind_configurations() -> None:
    same = read_footprint("east=same,west=same", Version.parse("1.36.3"))
    assert same["east"].pods == same["west"].pods == IPv4Network("10.10.0.0/16")
    assert read_cluster("east", "east-two-nodes").nodes == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no name for a cluster"),
        ("east,,west", "'' is no name for a cluster"),
        ("east_1", "'east_1' is no name for a cluster"),
        ("east=", "there is no kind configuration '': name a file, or one of"),
        ("moon", "there is no kind configuration 'moon': name a file, or one of"),
        ("east=../east", "there is no kind configuration '../east'"),
        ("east=none.yaml", "there is no kind configuration 'none.yaml'"),
        ("east=/", "cannot read the kind configuration / (is a directory)"),
        (f"{'e' * 38}=east", "37 characters at most"),
    ],
)
def test_clusters_that_there_are_not(text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_clusters(text)
    assert said in str(raised.value)


def test_a_file_of_that_name_in_the_current_folder_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "east").write_text("not a kind configuration")
    write(tmp_path / "mine.yml", GOOD)
    monkeypatch.chdir(tmp_path)
    assert read_clusters("east")[0].kind_config.endswith("kind-configs/east.yaml")
    assert read_clusters("east=mine.yml")[0].kind_config == str(tmp_path / "mine.yml")
