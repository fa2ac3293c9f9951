"""The patches in a kind configuration: kind leaves out what matches nothing, and finds the other
faults when the containers run already."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import yaml

from meshproof.files.document import At, Document, FaultError, compose, shown
from meshproof.files.kind_schema import JsonPatch, KindConfig
from meshproof.files.schema import dotted
from meshproof.nearest import choose

_CLUSTER = "ClusterConfiguration"
# What kind writes for kubeadm, and so what there is to be patched.
_KINDS = (
    _CLUSTER,
    "InitConfiguration",
    "JoinConfiguration",
    "KubeletConfiguration",
    "KubeProxyConfiguration",
)
_MASK = re.compile(r"node-cidr-mask-size(?:-ipv4)?\W+(?:value\W+)?(\d{1,3})")
_COMMENT = re.compile(r"(^|\s)#.*", re.MULTILINE)


def check_patches(document: Document, config: KindConfig) -> None:
    """Raise UsageError for a patch that kind could not apply, or would apply to nothing."""
    for at, text in _merge_patches(config):
        _check_merge_patch(document, at, text)
    for at, patch in _json_patches(config):
        if patch.kind not in _KINDS:
            raise _no_such_kind(document, (*at, "kind"), patch.kind)
        _check_operations(document, (*at, "patch"), patch.patch)
    for number, text in enumerate(config.containerd):
        at = ("containerdConfigPatches", number)
        try:
            tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            cause = f"{dotted(at)} is not TOML ({_reason(error)})"
            raise document.error(at, cause, "mend that text") from None
    for number, text in enumerate(config.containerd_json):
        _check_operations(document, ("containerdConfigPatchesJSON6902", number), text)


def node_mask(config: KindConfig) -> int:
    """The prefix length of the range that each node gets for its pods: 24, unless patched.

    The flag is the controller manager's:
    https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
    """
    texts = [text for _, text in _merge_patches(config)]
    texts += [patch.patch for _, patch in _json_patches(config)]
    found = [int(mask) for text in texts for mask in _MASK.findall(_COMMENT.sub("", text))]
    return found[-1] if found else 24


def _merge_patches(config: KindConfig) -> Iterator[tuple[At, str]]:
    for number, text in enumerate(config.patches):
        yield ("kubeadmConfigPatches", number), text
    for index, node in enumerate(config.nodes):
        for number, text in enumerate(node.patches):
            yield ("nodes", index, "kubeadmConfigPatches", number), text


def _json_patches(config: KindConfig) -> Iterator[tuple[At, JsonPatch]]:
    for number, patch in enumerate(config.json_patches):
        yield ("kubeadmConfigPatchesJSON6902", number), patch
    for index, node in enumerate(config.nodes):
        for number, patch in enumerate(node.json_patches):
            yield ("nodes", index, "kubeadmConfigPatchesJSON6902", number), patch


def _check_merge_patch(document: Document, at: At, text: str) -> None:
    # kind splits a text just so; what comes before the first line "---" may be comments alone.
    for part in text.split("\n---"):
        root = _composed(document, at, part)
        if root is None:
            continue
        if not isinstance(root, yaml.MappingNode):
            raise document.error(at, f"{dotted(at)} is not a mapping", "begin it with 'kind: …'")
        kind = _value(root, "kind")
        name = kind.value if isinstance(kind, yaml.ScalarNode) else ""
        if name not in _KINDS:
            raise _no_such_kind(document, at, name)
        networking = _value(root, "networking") if name == _CLUSTER else None
        for key in ("podSubnet", "serviceSubnet"):
            if networking is not None and _value(networking, key) is not None:
                cause = f"{dotted(at)} changes {key}, where the lab does not read it"
                raise document.error(at, cause, f"write it as networking.{key}")


def _check_operations(document: Document, at: At, text: str) -> None:
    root = _composed(document, at, text)
    if not isinstance(root, yaml.SequenceNode):
        cause = f"{dotted(at)} is no list of operations"
        raise document.error(at, cause, "write a list such as [{op: add, path: /a, value: b}]")


def _composed(document: Document, at: At, text: str) -> yaml.Node | None:
    try:
        return compose(text)
    except FaultError as fault:
        cause = f"in line {fault.line} of {dotted(at)} {fault.cause}"
        raise document.error(at, cause, fault.remedy or "shorten it") from None


def _no_such_kind(document: Document, at: At, name: str) -> Exception:
    cause = f"{dotted(at)} patches the kind {shown(name)}, which kind does not write"
    if not name:
        cause = f"{dotted(at)} does not say which kind of object it patches"
    return document.error(at, cause, choose(name, _KINDS))


def _value(node: yaml.Node, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _reason(error: Exception) -> str:
    said = str(error) or "it is nested too deeply"
    return said[0].lower() + said[1:]
