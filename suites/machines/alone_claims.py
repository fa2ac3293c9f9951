"""What is claimed of machines whose istiod is away."""

from __future__ import annotations

from dataclasses import replace

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control
from meshproof.kube.workload import list_workloads
from meshproof.mesh.istiod import CONTAINER, ISTIOD
from meshproof.mesh.manifests import SYSTEM
from meshproof.workloads.sample import Sample
from suites.machines.claims import a_version_answers, every_version_answers


def goes_on_alone(sample: Sample, machine: str) -> Verdict:
    """Every version answers a machine whose istiod is away, by its way, and the machine's own
    answers the pods of its cluster; the control: no istiod runs there."""
    one = sample.machines[machine]
    calls = [every_version_answers(sample, one)]
    if one.version:
        calls.append(a_version_answers(sample, sample.caller(one.cluster), one.version))
    told = [replace(each, observed=f"{machine}: {each.observed}") for each in calls]
    return all_of([*told, _away(sample, one.cluster)])


def _away(sample: Sample, cluster: str) -> Verdict:
    expected = f"no istiod to run in {cluster}"
    found = list_workloads(sample.mesh.cluster(cluster), ISTIOD, SYSTEM, container=CONTAINER)
    outcome = Outcome.FAIL if found else Outcome.PASS
    return as_control(Verdict(outcome, expected, ", ".join(map(str, found)) or "none does"))
