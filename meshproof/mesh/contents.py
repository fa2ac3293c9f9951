"""What the objects of a mesh say, so that it can be told later which of them say something else.

It is kept from installation on, as leaf values by their paths; of Secrets, and of what is long,
only that it is something else can be told.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.inventory import (
    AT_ONCE,
    Inventory,
    Resource,
    Thing,
    inventory_of,
    objects_of,
    survey,
)

Said = dict[str, str]
"""What one object says: its leaf values, as JSON, by their paths."""
Contents = dict[str, Said]
"""What objects say, by what they are called: "Secret istio-system/cacerts"."""

_LONGEST = 60
_DIGEST = "sha256 "
# What the cluster itself runs by, and was there before any mesh: its DNS for example.
_OF_THE_CLUSTER = frozenset(
    {("", "ConfigMap"), ("", "Service"), ("apps", "DaemonSet"), ("apps", "Deployment")}
)
# Of the rest that was there before, labels alone: injection, networks and localities are told so.
_LABELLED = frozenset({("", "Namespace"), ("", "Node")})
# kube-public holds signatures of tokens that expire after a day.
_EXPIRING = "kube-public"
# What is counted up, noted or handed out whenever something is applied, restarted or led.
_FLEETING_MARKS = frozenset(
    {
        "control-plane.alpha.kubernetes.io/leader",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        # Of a machine that has registered itself: to which istiod it is connected, and since when.
        "istio.io/connectedAt",
        "istio.io/disconnectedAt",
        "istio.io/workloadController",
        "kubectl.kubernetes.io/last-applied-configuration",
        "kubectl.kubernetes.io/restartedAt",
    }
)
_HANDED_OUT = frozenset({"clusterIP", "clusterIPs", "healthCheckNodePort", "nodePort"})


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is not as it was installed. ``what``: as it is called; ``how``: in words."""

    cluster: str
    what: str
    how: str

    def __str__(self) -> str:
        return f"{self.what} in {self.cluster} {self.how}"


def take_contents(cluster: RunningCluster, before: Inventory) -> Contents:
    """What every object says that is new in a cluster since ``before``, and what the cluster
    itself runs by; not what controllers make of them, such as pods.

    Raises LabError when the API server refuses, WaitTimeoutError when it stays busy for 10 s.
    """
    with lab_errors(f"read what is in {cluster.name}"):
        resources = survey(cluster.api)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            listed = list(pool.map(lambda one: objects_of(cluster.api, one), resources))
    return contents_of(zip(resources, listed, strict=True), before)


def contents_of(
    listed: Iterable[tuple[Resource, list[dict[str, Any]]]], before: Inventory
) -> Contents:
    """The same of lists of objects, as the API server gives them."""
    pairs = list(listed)
    now = inventory_of((resource, [one["metadata"] for one in found]) for resource, found in pairs)
    counted = {one.path: one for one in now.things if _is_counted(one, before)}
    found: Contents = {}
    for resource, objects in pairs:
        for one in objects:
            metadata = one["metadata"]
            thing = counted.get(resource.path(metadata.get("namespace", ""), metadata["name"]))
            if thing is not None:
                found[str(replace(thing, marks=frozenset()))] = _said(thing, one, before)
    return found


def differences(cluster: str, installed: Contents, now: Contents) -> list[Difference]:
    """Which objects of a cluster do not say what they did, in the order of their names."""
    found = []
    for what in sorted(installed.keys() | now.keys()):
        if what not in now:
            found.append(Difference(cluster, what, "is gone"))
        elif what not in installed:
            found.append(Difference(cluster, what, "was not installed"))
        elif installed[what] != now[what]:
            found.append(Difference(cluster, what, _how(installed[what], now[what])))
    return found


def _is_counted(thing: Thing, before: Inventory) -> bool:
    kind = (thing.group, thing.kind)
    if thing.maker is not None:
        return False
    if not before.knows(thing):
        return True
    return kind in _LABELLED or (kind in _OF_THE_CLUSTER and thing.namespace != _EXPIRING)


def _said(thing: Thing, one: Mapping[str, Any], before: Inventory) -> Said:
    metadata = one["metadata"]
    labels = {"labels": metadata.get("labels") or {}}
    if thing.kind in ("Lease", "Node") or (thing.kind == "Namespace" and before.knows(thing)):
        return dict(_leaves({"metadata": labels if thing.kind != "Lease" else {}}))
    if thing.kind == "CustomResourceDefinition":
        return {"spec": _digest(one.get("spec"))}
    annotations = metadata.get("annotations") or {}
    told = {key: value for key, value in one.items() if key not in _UNSAID}
    told["metadata"] = {**labels, "annotations": annotations}
    hidden = thing.kind == "Secret"
    return {path: _digest(value) if hidden else value for path, value in _leaves(told)}


_UNSAID = frozenset({"apiVersion", "kind", "metadata", "status"})


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON value by their paths; where the entries of a list have names, by
    these."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _FLEETING_MARKS and key not in _HANDED_OUT:
                yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for name, inner in zip(_names(value), value, strict=True):
            yield from _leaves(inner, f"{path}[{name}]")
    else:
        text = json.dumps(value)
        yield path, text if len(text) <= _LONGEST else _digest(value)


def _names(entries: list[Any]) -> list[str]:
    names = [str(one.get("name", "")) if isinstance(one, dict) else "" for one in entries]
    whole = all(names) and len(set(names)) == len(names)
    return names if whole else [str(number) for number in range(len(entries))]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return _DIGEST + hashlib.sha256(text.encode()).hexdigest()[:16]


def _how(installed: Said, now: Said) -> str:
    """How an object differs, by the first of its values that does."""
    known = sorted(installed.keys() | now.keys())
    paths = [path for path in known if installed.get(path) != now.get(path)]
    first, more = paths[0], len(paths) - 1
    was, is_now = installed.get(first), now.get(first)
    if is_now is None:
        told = f"has no {first}"
    elif was is None:
        told = f"has {first}, which was not installed"
    elif _DIGEST in was + is_now:
        told = f"has another {first}"
    else:
        told = f"has {first} {is_now}, not {was}"
    return told + (f", and {more} more difference{'s' if more > 1 else ''}" if more else "")
