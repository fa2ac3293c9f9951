"""Adds an audit policy to a kind configuration: who asked what of an API server is evidence."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import yaml

from meshproof.errors import LabError
from meshproof.reading import file_errors

# A folder that the API server's pod is given in any case, so that nothing else need be mounted:
# a user's own patch may replace the list of its volumes.
_ON_NODE = "/etc/kubernetes/pki/meshproof-audit-policy.yaml"
# Standard output goes to the container's log, which kubelet keeps to five files of 10 MiB.
# Without apiVersion kind adds the arguments to those that it writes, whatever kubeadm's version.
_PATCH = f"""\
kind: ClusterConfiguration
apiServer:
  extraArgs:
    audit-policy-file: {_ON_NODE}
    audit-log-path: "-"
"""
_NAME = "audit-policy.yaml"
_STR, _BOOL, _SEQ, _MAP = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "bool", "seq", "map"))


def write_audited(cluster: str, kind_config: str, folder: Path) -> Path:
    """Write a cluster's kind configuration, with the lab's audit policy, into the lab's folder.

    What a user's own patches say of auditing holds before it. Returns the file's path. Raises
    LabError when a file cannot be read or written.
    """
    policy, made = folder / _NAME, folder / f"{cluster}.kind.yaml"
    with file_errors(made, "the cluster's configuration", doing="write", error=LabError):
        # A copy: it must be there as long as the lab, for containers that are started again.
        with as_file(files("meshproof.lab") / _NAME) as source:
            shutil.copyfile(source, policy)
        made.write_text(audited(Path(kind_config).read_text("utf-8-sig"), policy), "utf-8")
    return made


def audited(text: str, policy: Path) -> str:
    """A kind configuration whose API server writes down who asks what, as ``policy`` says.

    What there is stays as it is written: YAML has several readings of words such as "on".
    """
    loader = yaml.SafeLoader(text)
    root = loader.get_single_node()
    assert isinstance(root, yaml.MappingNode)  # it was read before
    patch = yaml.ScalarNode(_STR, _PATCH, style="|")
    _set(root, "kubeadmConfigPatches", [patch, *_list(root, "kubeadmConfigPatches")])
    nodes = _list(root, "nodes") or [_mapping({"role": "control-plane"})]
    for node in nodes:
        assert isinstance(node, yaml.MappingNode)
        _merge(loader, node)
        if _text(node, "role") != "worker":
            mount = _mapping({"hostPath": str(policy), "containerPath": _ON_NODE})
            mount.value.append((_scalar("readOnly"), yaml.ScalarNode(_BOOL, "true")))
            _set(node, "extraMounts", [*_list(node, "extraMounts"), mount])
    _set(root, "nodes", nodes)
    return yaml.serialize(root, Dumper=yaml.SafeDumper)


def _merge(loader: yaml.SafeLoader, node: yaml.MappingNode) -> None:
    """Write out what a node takes over from another by "<<"; what it says itself counts."""
    loader.flatten_mapping(node)
    node.value = list({key.value: (key, value) for key, value in node.value}.values())


def _list(mapping: yaml.MappingNode, key: str) -> list[yaml.Node]:
    found = _value(mapping, key)
    return list(found.value) if isinstance(found, yaml.SequenceNode) else []


def _text(mapping: yaml.MappingNode, key: str) -> str:
    found = _value(mapping, key)
    return found.value if isinstance(found, yaml.ScalarNode) else ""


def _value(mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in mapping.value if name.value == key), None)


def _set(mapping: yaml.MappingNode, key: str, values: list[yaml.Node]) -> None:
    """Give a key a list, in the place where it was; a list may be shared with other keys."""
    made = yaml.SequenceNode(_SEQ, values)
    pairs = [(name, made if name.value == key else value) for name, value in mapping.value]
    if _value(mapping, key) is None:
        pairs.append((_scalar(key), made))
    mapping.value = pairs


def _mapping(content: dict[str, str]) -> yaml.MappingNode:
    pairs = [(_scalar(key), _scalar(value)) for key, value in content.items()]
    return yaml.MappingNode(_MAP, pairs)


def _scalar(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode(_STR, text)
