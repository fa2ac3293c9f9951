"""What `kubectl` would be asked for first: pods, events, Services, Istio's objects, webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import yaml

from meshproof.evidence.source import Found, Object, Piece, Source, columns, parts

_GROUPS = (
    "networking.istio.io",
    "security.istio.io",
    "telemetry.istio.io",
    "extensions.istio.io",
    "gateway.networking.k8s.io",
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1"


def object_pieces(source: Source, pods: list[Object]) -> list[Piece]:
    """The files about a cluster's objects, most telling first. ``pods``: all of its pods."""
    name = source.name
    return [
        Piece(f"10-{name}-pods.txt", partial(_pods, source, pods)),
        Piece(f"11-{name}-events.txt", partial(_events, source)),
        Piece(f"12-{name}-services.txt", partial(_services, source)),
        Piece(f"13-{name}-istio-config.yaml", partial(_istio_config, source)),
        Piece(f"14-{name}-webhooks.txt", partial(_webhooks, source)),
    ]


def full_name(thing: Object) -> str:
    """ "namespace/name" of an object."""
    about = thing["metadata"]
    return f"{about['namespace']}/{about['name']}" if "namespace" in about else str(about["name"])


def container_statuses(pod: Object) -> list[Object]:
    """The statuses of a pod's containers, those that run first (native sidecars too) ahead."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


# --- pods


def _pods(source: Source, pods: list[Object]) -> Found:
    """The pods' table; what is wrong with them is said even when it cannot be had."""
    wrong = [line for pod in pods for line in wrong_with_pod(pod)]

    def nodes() -> str:
        heading, *rows = (row[1:] for row in source.table("/api/v1/nodes"))
        wrong.extend(f"node {row[0]} is {row[1]}" for row in rows if row[1] != "Ready")
        return columns([heading, *rows])

    found = parts([("pods", partial(_pod_table, source, pods)), ("nodes", nodes)])
    return replace(found, wrong=tuple(wrong))


def _pod_table(source: Source, pods: list[Object]) -> str:
    images = {full_name(pod): _images(pod) for pod in pods}
    heading, *rows = source.table("/api/v1/pods")
    return columns(
        [[*heading, "IMAGES"], *([*row, images.get(f"{row[0]}/{row[1]}", "")] for row in rows)]
    )


def _images(pod: Object) -> str:
    spec = pod["spec"]
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    return ",".join(dict.fromkeys(container["image"] for container in containers))


def wrong_with_pod(pod: Object) -> Iterator[str]:
    """What keeps a pod from being ready and what restarted, one line each."""
    name, status = f"pod {full_name(pod)}", pod.get("status", {})
    if "deletionTimestamp" in pod["metadata"]:
        yield f"{name} is being deleted since {pod['metadata']['deletionTimestamp']}"
    elif status.get("phase") == "Failed":
        yield f"{name} failed: {status.get('reason', '')} {status.get('message', '')}".rstrip(" :")
    containers = container_statuses(pod)
    if not containers:
        for condition in status.get("conditions", []):
            if condition["status"] != "True":
                yield f"{name} is not {condition['type']}: {condition.get('message', '')}"
    for container in containers:
        if reason := _not_ready(container, status.get("phase") == "Succeeded"):
            yield f"{name} is not ready: {container['name']} {reason}"
        if restarts := container.get("restartCount", 0):
            last = container.get("lastState", {}).get("terminated", {})
            ended = f", last ended with {last['exitCode']} ({last.get('reason')})" if last else ""
            yield f"{name}: {container['name']} restarted {restarts} times{ended}"


def _not_ready(container: Object, succeeded: bool) -> str:
    """Why a container is not ready; empty when it is, or when it has done its work."""
    state = container.get("state", {})
    ended = state.get("terminated", {})
    if container.get("ready") or succeeded or (ended and ended.get("exitCode") == 0):
        return ""
    if waiting := state.get("waiting"):
        return f"waits: {waiting.get('reason', '?')} {waiting.get('message', '')}".strip()
    if ended:
        return f"ended with {ended.get('exitCode')}: {ended.get('reason')}"
    return "runs, but its readiness probe fails"


# --- events, Services


def _events(source: Source) -> Found:
    rows = sorted(_event(event) for event in source.items("/api/v1/events"))
    heading = ["TIME", " ", "OBJECT", "REASON", "TIMES", "MESSAGE"]
    return Found(columns([heading, *rows]))


def _event(event: Object) -> list[str]:
    series, about = event.get("series") or {}, event["involvedObject"]
    at = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return [
        at or event["metadata"].get("creationTimestamp", ""),
        "!" if event.get("type") == "Warning" else " ",
        f"{about.get('namespace', '')}/{about.get('kind', '')}/{about.get('name', '')}",
        event.get("reason") or "",
        str(series.get("count") or event.get("count") or 1),
        event.get("message") or "",
    ]


def _services(source: Source) -> Found:
    slices: dict[str, list[Object]] = {}
    for entry in source.items("/apis/discovery.k8s.io/v1/endpointslices"):
        owner = (entry["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "?")
        slices.setdefault(f"{entry['metadata']['namespace']}/{owner}", []).append(entry)
    services = {full_name(service): service for service in source.items("/api/v1/services")}
    text, wrong = "", []
    for name, service in services.items():
        endpoints = [line for entry in slices.pop(name, []) for line in _endpoints(entry)]
        text += "".join(f"{line}\n" for line in [_service(name, service), *endpoints])
        spec = service["spec"]
        if spec["type"] == "LoadBalancer" and not _external(service):
            wrong.append(f"Service {name} has no LoadBalancer address")
        if spec.get("selector") and not any(line.endswith(" ready") for line in endpoints):
            wrong.append(f"Service {name} has no ready endpoint")
    for name, entries in slices.items():
        text += f"EndpointSlices without a Service: {name}\n"
        text += "".join(f"{line}\n" for entry in entries for line in _endpoints(entry))
    return Found(text, tuple(wrong))


def _service(name: str, service: Object) -> str:
    spec = service["spec"]
    ports = ",".join(
        f"{port.get('name', '')}:{port['port']}>{port.get('targetPort', '')}/{port['protocol']}"
        for port in spec.get("ports", [])
    )
    selector = ",".join(f"{key}={value}" for key, value in (spec.get("selector") or {}).items())
    told = f"{name} {spec['type']} {spec.get('clusterIP', '-')} ports {ports or '-'}"
    told += f" selector {selector or '-'}"
    return f"{told} address {_external(service) or '-'}" if spec["type"] != "ClusterIP" else told


def _external(service: Object) -> str:
    given = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    return ",".join(entry.get("ip") or entry.get("hostname", "?") for entry in given)


def _endpoints(entry: Object) -> Iterator[str]:
    ports = ",".join(str(port.get("port")) for port in entry.get("ports") or [])
    for endpoint in entry.get("endpoints") or []:
        target = (endpoint.get("targetRef") or {}).get("name", "-")
        # An unknown condition counts as ready, says the API's own description.
        ready = (endpoint.get("conditions") or {}).get("ready") is not False
        where = f"    {','.join(endpoint['addresses'])} ports {ports} {target}"
        yield f"{where} {'ready' if ready else 'NOT READY'}"


# --- Istio


def _istio_config(source: Source) -> Found:
    objects = []
    for group in source.get("/apis")["groups"]:
        if group["name"] in _GROUPS:
            root = f"/apis/{group['preferredVersion']['groupVersion']}"
            for kind in source.get(root)["resources"]:
                if "list" in kind["verbs"] and "/" not in kind["name"]:
                    objects += [_bare(entry) for entry in source.items(f"{root}/{kind['name']}")]
    return Found(yaml.safe_dump_all(objects, sort_keys=False) if objects else "# none\n")


def _bare(entry: Object) -> Object:
    about = {key: value for key, value in entry["metadata"].items() if key != "managedFields"}
    if "annotations" in about:
        annotations = {k: v for k, v in about["annotations"].items() if k != _LAST_APPLIED}
        about["annotations"] = annotations
    return {**entry, "metadata": about}


def _webhooks(source: Source) -> Found:
    text, wrong = "", []
    for kind in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"):
        for config in source.items(f"{_WEBHOOKS}/{kind}"):
            for webhook in config.get("webhooks") or []:
                client = webhook["clientConfig"]
                empty = not client.get("caBundle")
                name = f"{config['metadata']['name']}: {webhook['name']}"
                text += f"{kind} {name}\n"
                text += f"    calls {client.get('url') or client.get('service')}\n"
                text += f"    caBundle {'EMPTY' if empty else 'present'}"
                text += f", failurePolicy {webhook.get('failurePolicy')}\n"
                text += f"    namespaces {webhook.get('namespaceSelector')}\n"
                text += f"    objects {webhook.get('objectSelector')}\n"
                if empty:
                    wrong.append(f"webhook {name} has no caBundle")
    return Found(text or "no webhooks\n", tuple(wrong))
