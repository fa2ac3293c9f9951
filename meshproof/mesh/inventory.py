"""What a cluster holds, object by object, and how two such lists differ.

The rule it serves: after uninstalling, nothing that was installed remains in any cluster
(topologies, "Cleanup"). So the list knows no names of Istio's; it holds every object of every
kind that the API server lists, except what comes and goes by itself whatever is installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.foreign import LAB_LABEL, Foreign
from meshproof.kube.seam import lab_errors
from meshproof.mesh.manifests import REGION_LABEL, ZONE_LABEL
from meshproof.wait import eventually

Key = tuple[str, str, str, str]
Metadata = Mapping[str, Any]
Record = list[Any]

_JSON = "application/json"
# Two requests tell all kinds (KEP-3352, Kubernetes 1.30), and lists need no more than metadata.
_DISCOVERY = f"{_JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_METADATA = f"{_JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{_JSON}"
# The client keeps five connections for each CPU; more threads than that would open new ones.
AT_ONCE = 5

# What the cluster writes down, measures, or makes for a Service (which is counted).
_FLEETING = frozenset(
    {"ComponentStatus", "Endpoints", "Event", "IPAddress", "NodeMetrics", "PodMetrics"}
)
# Kinds that Kubernetes' own controllers make again under new names.
_MADE_AGAIN = frozenset({"ControllerRevision", "EndpointSlice", "Job", "Pod", "ReplicaSet"})
# Kubelets write a Lease here, a while after their node has come.
_NODE_LEASES = "kube-node-lease"
# Set on the APIServices that the API server makes of the CRDs, which are counted.
_AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
_ISTIO, _PART_OF = "istio.io", "app.kubernetes.io/part-of"
_ISTIOS_LABELS = frozenset(
    {"install.operator.istio.io/owning-resource", "operator.istio.io/component", "istio.io/config"}
)
# Where nodes are: installed with a mesh of whose topology that is part.
_PLACES = frozenset({REGION_LABEL, ZONE_LABEL})
_NOT_SERVED = (404, 405)  # the kind's definition went since it was discovered
_BUSY = (429, 503)  # its storage is being set up or taken down


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object that the API server lists. ``root``: such as "/apis/apps/v1"."""

    group: str
    kind: str
    plural: str
    root: str

    def path(self, namespace: str, name: str) -> str:
        """The path of one object; ``namespace`` is empty for what has none."""
        inside = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return f"{self.root}{inside}/{self.plural}/{quote(name, safe='')}"


@dataclass(frozen=True, slots=True)
class Thing:
    """An object in a cluster. Equal are things of the same kind, namespace, name and marks.

    ``marks``: labels and annotations of a namespace or node whose key contains "istio", such as
    "label istio-injection=enabled", and those of a node that say where it is, as a topology has it.
    ``path``: where the API server serves it. ``maker``: for what controllers make again, such as
    pods, the key of the thing it is made for in the end.
    ``lab``: whose it says it is, ``istios``: whether it says, or is called so, that it is Istio's:
    by these ours are told from others' in a foreign cluster.
    ``held``: whether it has finalizers, so that it stays until somebody has taken them off;
    ``created``: when, as the API server writes it, "" where nobody said.
    """

    group: str
    kind: str
    namespace: str
    name: str
    marks: frozenset[str] = frozenset()
    path: str = field(default="", compare=False, repr=False)
    maker: Key | None = field(default=None, compare=False, repr=False)
    lab: str = field(default="", compare=False, repr=False)
    istios: bool = field(default=False, compare=False, repr=False)
    held: bool = field(default=False, compare=False, repr=False)
    created: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> Key:
        """What tells this thing from all others of its cluster."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{kind} {name}" + (f" ({', '.join(sorted(self.marks))})" if self.marks else "")


@dataclass(frozen=True)
class Inventory:
    """All that a cluster held at one moment."""

    things: frozenset[Thing]

    def new_since(self, earlier: Inventory) -> tuple[Thing, ...]:
        """What is here and was not ``earlier``, sorted.

        A thing that only has new marks comes with just those (``earlier.knows`` tells it). A
        pod, replica set, ... that is made for something which was there before is not new:
        its controller may make it again under another name at any time.
        """
        found = []
        for thing in self.things:
            before = earlier._by_key.get(thing.key)
            if before is None:
                if thing.maker not in earlier._by_key:
                    found.append(thing)
            elif thing.marks - before.marks:
                found.append(replace(thing, marks=thing.marks - before.marks))
        return tuple(sorted(found, key=lambda thing: thing.key))

    def missing_since(self, earlier: Inventory) -> tuple[Thing, ...]:
        """What was there ``earlier`` and is not here, by the same rules, sorted."""
        return earlier.new_since(self)

    def to_json(self) -> list[Record]:
        """The inventory as JSON values, for ``from_json``; paths are left out."""
        return [
            [*thing.key, sorted(thing.marks), list(thing.maker) if thing.maker else None]
            for thing in sorted(self.things, key=lambda thing: thing.key)
        ]

    @classmethod
    def from_json(cls, records: Iterable[Record]) -> Inventory:
        """The inventory that ``to_json`` gave."""
        things = [
            Thing(group, kind, space, name, frozenset(marks), "", tuple(maker) if maker else None)
            for group, kind, space, name, marks, maker in records
        ]
        return cls(frozenset(things))

    def of_lab(self, lab_id: str, *, istios: bool = True, since: str = "") -> Inventory:
        """What of this is of a lab's making in a foreign cluster: what bears its label, what is in
        a namespace that does, and with ``istios`` what is Istio's and not older than ``since``,
        when the lab has locked the cluster: an older Istio is somebody else's. In others'
        namespaces that are the ConfigMaps alone which istiods write into every one."""
        spaces = {
            one.name
            for one in self.things
            if (one.group, one.kind) == ("", "Namespace") and one.lab == lab_id
        }
        ours = (
            one
            for one in self.things
            if one.lab == lab_id
            or one.namespace in spaces
            or (istios and one.istios and _may_be_ours(one, since))
        )
        return Inventory(frozenset(ours))

    def of_foreign(self, foreign: Foreign) -> Inventory:
        """The same of the lab that a foreign cluster is dealt with by."""
        return self.of_lab(foreign.lab, istios=foreign.has_our_istio, since=foreign.since)

    def without(self, other: Inventory) -> Inventory:
        """What is here, but for what is in the other."""
        return Inventory(frozenset(one for one in self.things if not other.knows(one)))

    def knows(self, thing: Thing) -> bool:
        """Whether this thing is here, whatever its marks."""
        return thing.key in self._by_key

    @cached_property
    def _by_key(self) -> Mapping[Key | None, Thing]:
        return {thing.key: thing for thing in self.things}


def take_inventory(cluster: RunningCluster) -> Inventory:
    """List all that a cluster holds: every object of every kind, in its preferred version. Of a
    foreign cluster what is of our lab's making alone: others go on changing the rest.

    Raises LabError when the API server refuses, WaitTimeoutError when it stays busy for 10 s.
    """
    with lab_errors(f"list what is in {cluster.name}"):
        found = take_whole(cluster)
    return found if cluster.foreign is None else found.of_foreign(cluster.foreign)


def take_whole(cluster: RunningCluster) -> Inventory:
    """All that a cluster holds, whoever's it is. Raises ApiException or WaitTimeoutError."""
    return list_things(cluster.api, survey(cluster.api))


def survey(api: client.ApiClient) -> list[Resource]:
    """The kinds that the API server lists, but for fleeting ones. Raises ApiException."""
    told = {start: request(api, "GET", start, accept=_DISCOVERY) for start in ("/api", "/apis")}
    return [resource for start, groups in told.items() for resource in listable(start, groups)]


def list_things(api: client.ApiClient, resources: Iterable[Resource]) -> Inventory:
    """The objects of some kinds. Raises ApiException or WaitTimeoutError."""
    todo = list(resources)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        listed = pool.map(lambda resource: objects_of(api, resource, _METADATA), todo)
        metadata = ([one["metadata"] for one in found] for found in listed)
        return inventory_of(zip(todo, metadata, strict=True))


def listable(start: str, discovery: Mapping[str, Any]) -> list[Resource]:
    """The kinds that an APIGroupDiscoveryList names; ``start``: "/api" or "/apis".

    Each comes in its most preferred version. That is not always its group's: networking.istio.io
    prefers v1, but serves EnvoyFilter as v1alpha3 only.
    """
    found: dict[tuple[str, str], Resource] = {}
    for item in discovery["items"]:
        group = item.get("metadata", {}).get("name", "")
        for version in item.get("versions") or []:
            root = "/".join(part for part in (start, group, version["version"]) if part)
            for entry in version.get("resources") or []:
                kind = (entry.get("responseKind") or {}).get("kind", "")
                fleeting = _is_kubernetes(group) and kind in _FLEETING
                if "list" in entry["verbs"] and not fleeting:
                    resource = Resource(group, kind, entry["resource"], root)
                    found.setdefault((group, resource.plural), resource)
    return list(found.values())


def inventory_of(listed: Iterable[tuple[Resource, Iterable[Metadata]]]) -> Inventory:
    """The inventory that lists of objects' metadata amount to, without what is fleeting."""
    things = [
        _thing(resource, metadata)
        for resource, objects in listed
        for metadata in objects
        if not _is_fleeting(resource, metadata)
    ]
    owners = {thing.key: thing.maker for thing in things if thing.maker is not None}
    return Inventory(frozenset(replace(one, maker=_first(one.maker, owners)) for one in things))


def request(
    api: client.ApiClient, method: str, path: str, accept: str = _JSON, body: Any = None
) -> Any:
    """One request to the API server, and the JSON it answers. A PATCH is a merge patch.

    Raises ApiException when the answer is not a success, urllib3's HTTPError when none comes.
    """
    content = "application/merge-patch+json" if method == "PATCH" else _JSON
    headers = {"Accept": accept, "Content-Type": content}
    auth = ["BearerToken"]
    call = api.param_serialize(method, path, None, None, headers, body, auth_settings=auth)
    answer = api.call_api(*call, _request_timeout=30)  # which raises for no status
    said = answer.read().decode()
    if not 200 <= answer.status < 300:
        raise client.ApiException(http_resp=answer, body=said)
    return json.loads(said)


def objects_of(
    api: client.ApiClient, resource: Resource, accept: str = _JSON
) -> list[dict[str, Any]]:
    """The objects of one kind in all namespaces, as JSON; none of a kind that is not served any
    more. Raises ApiException, or WaitTimeoutError when the API server stays busy for 10 s."""
    path = f"{resource.root}/{resource.plural}"

    def attempt() -> list[dict[str, Any]] | None:
        try:
            answer = request(api, "GET", path, accept=accept)
        except client.ApiException as error:
            if error.status not in (*_BUSY, *_NOT_SERVED):
                raise
            return None if error.status in _BUSY else []
        found: list[dict[str, Any]] = answer.get("items") or []
        return found

    told = f"a list of {path}"
    return eventually(attempt, until=lambda seen: seen is not None, what=told, within=10) or []


def _is_kubernetes(group: str) -> bool:
    return "." not in group or group.endswith(".k8s.io")


def _is_fleeting(resource: Resource, metadata: Metadata) -> bool:
    if resource.kind == "CertificateSigningRequest":
        # Kubelets ask again before a certificate ends; old requests are collected by the hour.
        return bool(metadata.get("generateName"))
    if resource.kind == "Lease" and metadata.get("namespace") == _NODE_LEASES:
        return True
    return _AUTOMANAGED in (metadata.get("labels") or {})


def _thing(resource: Resource, metadata: Metadata) -> Thing:
    group, kind, name = resource.group, resource.kind, metadata["name"]
    namespace = metadata.get("namespace", "")
    maker = _owner(namespace, metadata) if _is_kubernetes(group) and kind in _MADE_AGAIN else None
    marks = {
        f"{sort} {key}={value}"
        for sort in ("label", "annotation")
        for key, value in (metadata.get(f"{sort}s") or {}).items()
        if not group and kind in ("Namespace", "Node") and ("istio" in key or key in _PLACES)
    }
    path = resource.path(namespace, name)
    labels = metadata.get("labels") or {}
    lab, istios = labels.get(LAB_LABEL, ""), _is_istios(resource, metadata, labels)
    held = bool(metadata.get("finalizers"))
    created = metadata.get("creationTimestamp") or ""
    marked = frozenset(marks)
    return Thing(group, kind, namespace, name, marked, path, maker, lab, istios, held, created)


def _may_be_ours(one: Thing, since: str) -> bool:
    """Whether something of Istio's may have been made by a lab. Times are as RFC 3339 has them, in
    UTC, of one API server: as text they are in the order of time."""
    if since and one.created and one.created < since:
        return False
    return not one.namespace or (one.group, one.kind) == ("", "ConfigMap")


def _is_istios(resource: Resource, metadata: Metadata, labels: Mapping[str, str]) -> bool:
    """Whether an object is Istio's: of its kinds, by the labels that istioctl, Istio's charts and
    istiod set, or in no namespace and called so, as the classes of gateways are that istiod makes.
    Namespaces and nodes never are."""
    if not resource.group and resource.kind in ("Namespace", "Node"):
        return False
    name = metadata["name"]
    if any(one == _ISTIO or one.endswith(f".{_ISTIO}") for one in (resource.group, name)):
        return True
    if not labels.keys().isdisjoint(_ISTIOS_LABELS) or labels.get(_PART_OF) == "istio":
        return True
    return not metadata.get("namespace") and name.startswith("istio")


def _owner(namespace: str, metadata: Metadata) -> Key | None:
    for owner in metadata.get("ownerReferences") or []:
        if owner.get("controller"):
            # Nodes own the pods that kubelets read from files, and have no namespace.
            inside = "" if owner["kind"] == "Node" else namespace
            return (owner["apiVersion"].rpartition("/")[0], owner["kind"], inside, owner["name"])
    return None


def _first(maker: Key | None, owners: Mapping[Key, Key]) -> Key | None:
    above = owners.get(maker) if maker else None
    return _first(above, owners) if above else maker
