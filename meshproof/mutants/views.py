"""What is looked at to show a mutant in force: parts of proxies' configuration, and the like.

A view is JSON by the names of workloads. Whatever changes by itself is left out of it, so that two
views of the same mesh are the same, and what two differ by is the mutant's doing.
"""

from __future__ import annotations

import base64
import difflib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cryptography import x509

from meshproof.errors import EvidenceError, WaitTimeoutError
from meshproof.kube.objects import apply, await_absence, delete
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload, find_workload
from meshproof.mesh.config_dump import CLUSTERS, LISTENERS, ROUTES
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.istiod import debug
from meshproof.mutants.catalogue import Shows
from meshproof.traffic.connected import istiods, proxy_id
from meshproof.wait import eventually
from meshproof.workloads.sample import NAMESPACE, SLEEP, Sample, namespace_object

Seen = dict[str, Any]

_PARTS = {
    "clusters": CLUSTERS,
    "routes": ROUTES,
    "listeners": LISTENERS,
    "endpoints": "dynamic_endpoint_configs&include_eds",
}
_SECRETS = "dynamic_active_secrets"
# A listener that was replaced stays for its connections' sake, one that is to come waits.
_PASSING = frozenset({"last_updated", "version_info", "draining_state", "warming_state"})
_FAILED = "failed_configuration"
_NEW_NAMESPACE, _ROOT = "mutants-new", "istio-ca-root-cert"
_COMES_WITHIN = 20.0
_STEADY, _STEADY_WITHIN, _PAUSE = 4, 60.0, 1.0
_SHOWN_WITHIN = 30.0
_MOST_LINES = 400


def look(sample: Sample, shows: Shows) -> Seen:
    """What is to be seen now. Raises EvidenceError or LabError when it cannot be."""
    if shows.look == "shards":
        return {one.cluster: debug(one, "endpointShardz") for one in istiods(sample.mesh)}
    if shows.look == "new-namespace":
        return {name: _gets_the_root(sample, name) for name in sample.clusters}
    views = {name: _view(sample, one, shows.look) for name, one in _workloads(sample, shows.at)}
    if not views:
        raise EvidenceError(f"there is no {shows.at} to look at")
    return renamed(views, _names_that_stay(sample))


def steady(sample: Sample, shows: Shows) -> Seen:
    """What is to be seen once it has stopped changing. Raises EvidenceError when it does not."""
    if shows.look == "new-namespace":
        return look(sample, shows)  # which waits itself
    last: list[Seen] = []

    def same() -> int:
        now = look(sample, shows)
        last[:] = [*last, now] if last and last[-1] == now else [now]
        return len(last)

    try:
        eventually(
            same,
            until=lambda times: times >= _STEADY,
            what=f"an end of changes in {shows.look}",
            within=_STEADY_WITHIN,
            every=_PAUSE,
        )
    except WaitTimeoutError:
        raise EvidenceError(f"{shows} go on changing") from None
    return last[-1]


def seen_until(sample: Sample, shows: Shows, fits: Callable[[Seen], bool]) -> Seen:
    """What is to be seen as soon as it fits, or in the end: proxies that have taken all that an
    istiod sent show it at once. Raises as ``look``."""
    last: list[Seen] = []

    def looked() -> bool:
        last[:] = [look(sample, shows)]
        return fits(last[0])

    with suppress(WaitTimeoutError):
        eventually(looked, what=str(shows), within=_SHOWN_WITHIN, every=_PAUSE)
    return last[0]


def difference(before: Seen, after: Seen) -> list[str]:
    """By what one view differs from another: lines of a unified diff, none when they are the
    same. Of a very long one the first lines."""
    off, on = (json.dumps(one, indent=1, sort_keys=True).split("\n") for one in (before, after))
    lines = list(difflib.unified_diff(off, on, "off", "on", n=4, lineterm=""))
    rest = len(lines) - _MOST_LINES
    return lines if rest <= 0 else [*lines[:_MOST_LINES], f"… and {rest} lines more"]


def settled_form(value: Any) -> Any:
    """A configuration without what changes by itself: times, versions, what is on its way."""
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key not in _PASSING and key != _FAILED}
        return {key: settled_form(one) for key, one in kept.items() if key != "last_update_attempt"}
    return [settled_form(one) for one in value] if isinstance(value, list) else value


def certificates(configs: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The chains among a proxy's secrets: of each certificate, the leaf first, whose it is, who
    signed it, whether it may sign, and for how many minutes it is valid in all."""
    found = []
    for one in configs:
        chain = one.get("secret", {}).get("tls_certificate", {}).get("certificate_chain", {})
        if text := chain.get("inline_bytes"):
            parsed = x509.load_pem_x509_certificates(base64.b64decode(text))
            found.append([_certificate(certificate) for certificate in parsed])
    return found


def _view(sample: Sample, workload: PodWorkload, part: str) -> Any:
    if part == "certificate":
        return certificates(_configs(workload, _SECRETS))
    if part == "names":
        return _names(sample, workload)
    found = [settled_form(one) for one in _configs(workload, _PARTS[part])]
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


def _configs(workload: PodWorkload, resource: str) -> list[dict[str, Any]]:
    answer = json.loads(workload.admin(f"config_dump?resource={resource}"))
    found: list[dict[str, Any]] = answer.get("configs", [])
    return found


def _names(sample: Sample, workload: PodWorkload) -> Any:
    """The table that istiod gives the workload's proxy for its DNS."""
    for istiod in istiods(sample.mesh):
        if any(one.get("proxy") == proxy_id(workload) for one in debug(istiod, "syncz") or []):
            return debug(istiod, f"ndsz?proxyID={proxy_id(workload)}")
    raise EvidenceError(f"no istiod knows the proxy of {workload}")


def _workloads(sample: Sample, at: str) -> Iterator[tuple[str, PodWorkload]]:
    """Those to look at, by names that outlive their pods."""
    mesh = sample.mesh
    if at == "gateway":
        for member in sample.topology.members:
            if member.gateway is not None:
                yield f"{member.name}/gateway", gateway_workload(mesh, member.name)
    elif at == "helloworld":
        for one in sorted(sample.servers().values(), key=lambda one: one.name, reverse=True):
            yield f"{one.cluster}/helloworld-{one.version}", one
    else:
        for name in sample.clusters:
            yield f"{name}/{at}", find_workload(mesh.cluster(name), SLEEP, NAMESPACE)


def renamed(views: Seen, called: Iterable[tuple[str, str]]) -> Seen:
    """Views in which each word that is one of the first is the second beside it, in all places
    where it stands alone; endpoints are in the order of what they are called."""
    text = json.dumps(views)
    for word, name in called:
        text = text.replace(json.dumps(word), json.dumps(name))
    found: Seen = json.loads(text)
    return {name: _ordered(one) for name, one in found.items()}


def _names_that_stay(sample: Sample) -> Iterator[tuple[str, str]]:
    """Names and addresses of pods that come and go, istiod's with each mutant that is switched,
    and what stays: versions and clusters."""
    pods = [(one, f"a pod of {one.version} in {one.cluster}") for one in sample.servers().values()]
    for pod, name in [*pods, *((one, f"istiod of {one.cluster}") for one in istiods(sample.mesh))]:
        yield str(pod.address), name
        yield pod.name, name


def _ordered(view: Any) -> Any:
    """Endpoints in an order that does not depend on addresses."""
    if isinstance(view, dict):
        found = {key: _ordered(one) for key, one in view.items()}
        if isinstance(found.get("lb_endpoints"), list):
            found["lb_endpoints"].sort(key=lambda one: json.dumps(one, sort_keys=True))
        return found
    return [_ordered(one) for one in view] if isinstance(view, list) else view


def _certificate(one: x509.Certificate) -> dict[str, Any]:
    names: list[str] = []
    may_sign = False
    for extension in one.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = [str(name.value) for name in extension.value]
        if isinstance(extension.value, x509.BasicConstraints):
            may_sign = extension.value.ca
    valid = one.not_valid_after_utc - one.not_valid_before_utc
    return {
        "names": names,
        "signed by": one.issuer.rfc4514_string(),
        "may sign": may_sign,
        "minutes": round(valid.total_seconds() / 60),
    }


@contextmanager
def _new_namespace(sample: Sample, cluster: str) -> Iterator[None]:
    running = sample.mesh.cluster(cluster)
    made = [namespace_object(_NEW_NAMESPACE, injected=False)]
    try:
        apply(running, made)
        yield
    finally:
        delete(running, made)
        await_absence(running, _NEW_NAMESPACE)


def _gets_the_root(sample: Sample, cluster: str) -> bool:
    """Whether a namespace that is made in a cluster now gets the mesh's root certificate."""
    core = sample.mesh.cluster(cluster).core

    def there() -> bool:
        with lab_errors(f"look for {_ROOT} in {cluster}"):
            maps = core.list_namespaced_config_map(_NEW_NAMESPACE).items
            return any(one.metadata.name == _ROOT for one in maps)

    with _new_namespace(sample, cluster):
        try:
            return eventually(there, what=_ROOT, within=_COMES_WITHIN)
        except WaitTimeoutError:
            return False
