"""Renders what istioctl and Helm would install, and tells how the two differ, object by object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from meshproof.kube.objects import Object
from meshproof.mesh.helm_values import Release
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import Document
from meshproof.process import Shell

Key = tuple[str, str]
_TOOLS_OWN = (
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/version",
    "endpointslice.kubernetes.io/managed-by",
    "helm.sh/chart",
    "release",
)
"""Labels by which each of the two knows what it has installed, or which say by what it was."""
_DEFINITION = re.compile(r"^kind: CustomResourceDefinition$", re.MULTILINE)


def by_istioctl(
    program: Path, document: Document, folder: Path, *, kinds: bool = False
) -> list[Object]:
    """What `istioctl manifest generate` makes of a document. ``kinds``: as for ``read``."""
    file = folder / "operator.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    printed = Shell().run([str(program), "manifest", "generate", "-f", str(file)]).stdout
    return read(printed, kinds=kinds)


def by_helm(
    program: Path, charts: Path, made: Sequence[Release], folder: Path, *, kinds: bool = False
) -> list[Object]:
    """What `helm template` makes of releases. ``kinds``: as for ``read``."""
    homes = dict.fromkeys(("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"), str(folder))
    found: list[Object] = []
    for one in made:
        file = folder / f"{one.name}.yaml"
        file.write_text(yaml.safe_dump(one.values), encoding="utf-8")
        argv = [str(program), "template", one.name, str(charts / one.chart)]
        argv += ["-n", SYSTEM, "-f", str(file)]
        found += read(Shell().run(argv, env=homes).stdout, kinds=kinds)
    return found


def read(printed: str, *, kinds: bool = False) -> list[Object]:
    """The objects of a manifest without the definitions of kinds, or of these alone: they are most
    of it, and take seconds to be read."""
    parts = re.split(r"^---.*$", printed, flags=re.MULTILINE)
    chosen = [one for one in parts if bool(_DEFINITION.search(one)) is kinds]
    objects = (yaml.load(one, yaml.CSafeLoader) for one in chosen)
    return [one for one in objects if one]


def differences(one: Iterable[Object], other: Iterable[Object]) -> list[str]:
    """How two lists of objects differ: "Kind/name is in the first alone", or "Kind/name path: what
    the first says, what the second says"."""
    first, second = _by_key(one), _by_key(other)
    found = [f"{_name(key)} is in the first alone" for key in first if key not in second]
    found += [f"{_name(key)} is in the second alone" for key in second if key not in first]
    for key in first.keys() & second.keys():
        mine, theirs = dict(_leaves(first[key])), dict(_leaves(second[key]))
        for path in sorted(mine.keys() | theirs.keys()):
            if mine.get(path) != theirs.get(path):
                found.append(f"{_name(key)} {path}: {mine.get(path)}, {theirs.get(path)}")
    return sorted(found)


def unexplained(found: Iterable[str], explained: Mapping[str, str]) -> list[str]:
    """Those differences that none of the expressions, each with its reason, is about in full."""
    return [one for one in found if not any(re.fullmatch(known, one) for known in explained)]


def _by_key(objects: Iterable[Object]) -> dict[Key, Object]:
    return {(one["kind"], one["metadata"]["name"]): one for one in objects}


def _name(key: Key) -> str:
    return "/".join(key)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaf values of an object as JSON, by their paths; what containers, variables, ports and
    webhooks say by their names, and texts that are YAML by what they say."""
    if isinstance(value, dict):
        for name, one in value.items():
            below = f"{path}.{name}" if path else name
            if path.endswith("labels") and name in _TOOLS_OWN:
                continue
            if path == "metadata" and name == "namespace":
                continue
            yield from _leaves(one, below)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            named = isinstance(one, dict) and isinstance(one.get("name"), str)
            yield from _leaves(one, f"{path}[{one['name'] if named else number}]")
    elif isinstance(value, str) and path.startswith("data."):
        yield from _text(value, path)
    elif value is not None:
        yield path, json.dumps(value)


def _text(value: str, path: str) -> Iterator[tuple[str, str]]:
    try:
        said = yaml.load(value, yaml.CSafeLoader)
    except yaml.YAMLError:
        said = None
    if isinstance(said, dict | list):
        yield from _leaves(said, path.replace("data.", "data:", 1))
    else:
        yield path, json.dumps(value)
