"""What is claimed of tokens whose time is up."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.expect.control import as_control
from meshproof.faults.tokens import user_of
from meshproof.workloads.sample import NAMESPACE, Sample
from suites.machines.tokens import reviewed


def good_but_for_its_time(sample: Sample, machine: str, good: str, late: str) -> Verdict:
    """The control: of two tokens that were made in the same way, the API server takes the one for
    the machine's account, and the other for one that has expired."""
    one = sample.machines[machine]
    cluster = sample.mesh.cluster(one.cluster)
    due = user_of(one.account, NAMESPACE)
    expected = f"the API server of {cluster.name} to know {due}, and its other token to be expired"
    found, refused = reviewed(cluster, good), reviewed(cluster, late)
    outcome = Outcome.PASS if found == due and "expired" in refused else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"'{found}', and of the other '{refused}'"))
