"""What is claimed of the programs that run, so that sabotage can claim the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.builds import are_of
from meshproof.mesh.builds import Build, gateway_builds, istiod_builds, proxy_builds
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

_PLAIN = "plain Envoy "


def runs_what_was_asked(sample: Sample) -> Verdict:
    """Every istiod is of its cluster's version; every sidecar is of the version whose istiod
    injected it; and every gateway of that one, or of the one that installed it."""
    mesh, topology = sample.mesh, sample.topology
    asked = {name: str(version) for name, version in mesh.deployment.istio.items()}
    verdicts = [
        are_of({asked[one.name]}, istiod_builds(mesh, one.name), f"the istiods of {one.name}")
        for one in topology.control_planes
    ]
    for name in sample.clusters:
        injected = asked[topology[name].primary]
        for app in (SLEEP, HELLOWORLD):
            builds = proxy_builds(mesh, name, app, NAMESPACE)
            if builds or app == SLEEP:
                verdicts.append(are_of({injected}, builds, f"the sidecars of {app} in {name}"))
    for member in topology.members:
        if member.gateway is not None:
            due = {asked[member.name], asked[member.primary]}
            builds = gateway_builds(mesh, member.name)
            verdicts.append(are_of(due, builds, f"the gateway of {member.name}"))
    return all_of(verdicts)


def runs_the_envoy_of_the_record(sample: Sample) -> Verdict:
    """The proxies run the Envoy that the record names for their Istio: a plain one has none of
    Istio's own filters, and what those do is not judged."""
    noted = {str(istio): proxy for istio, proxy in sample.mesh.bundle.proxies.items()}
    builds = [
        one for name in sample.clusters for one in proxy_builds(sample.mesh, name, SLEEP, NAMESPACE)
    ]
    return envoys_are(noted, builds)


def envoys_are(noted: Mapping[str, str], builds: Sequence[Build]) -> Verdict:
    """PASS when each proxy's Envoy is the one that is noted for its Istio, where a plain one is;
    FAIL names the first that is not. INCONCLUSIVE: nobody was asked, or nothing is noted."""
    expected = f"proxies to run {', '.join(sorted(set(noted.values()))) or 'what is noted'}"
    unknown = [one for one in builds if one.version not in noted]
    if not builds or unknown:
        observed = f"nothing is noted for {unknown[0].who}" if unknown else "there are none"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    for one in builds:
        proxy = noted[one.version]
        if proxy.startswith(_PLAIN) and one.envoy != proxy.removeprefix(_PLAIN):
            return Verdict(Outcome.FAIL, expected, f"{one.who} runs Envoy {one.envoy}")
    told = Counter(f"Envoy {one.envoy}" for one in builds)
    observed = ", ".join(f"{count} of {text}" for text, count in told.items())
    return Verdict(Outcome.PASS, expected, observed)
