"""What is claimed of the wire between sidecars, so that sabotage can claim the same."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet
from meshproof.expect.control import as_control
from meshproof.expect.wire import all_plain, all_tls, used
from meshproof.kube.workload import Workload
from meshproof.mesh.mesh import Way
from meshproof.traffic.calls import Plan
from meshproof.traffic.tls_question import ask
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import SNI, Sample


def _calls(sample: Sample) -> int:
    return calls_to_meet(sample.smallest_share)


def encrypted_on_the_wire(sample: Sample, caller: str) -> Verdict:
    """Every call was TLS on the wire, on every hop; no connection was plain text, whatever it
    carried; and both sides showed who they are. The same witness does see the plain text of a
    caller without a sidecar, on the same ways."""
    watched = watch(sample, sample.caller(caller), Plan(times=_calls(sample)))
    outsider = sample.outsider(caller)
    return all_of(
        [all_tls(watched), *(_sees_plain_text(sample, outsider, one) for one in used(watched))]
    )


def plain_on_the_wire(sample: Sample, caller: str) -> Verdict:
    """Every call was plain text on the wire, nothing was TLS, and nobody showed a certificate;
    the same witness does see TLS on the same ways."""
    watched = watch(sample, sample.caller(caller), Plan(times=_calls(sample)))
    outsider = sample.outsider(caller)
    return all_of(
        [all_plain(watched), *(_sees_tls(sample, outsider, one) for one in used(watched))]
    )


def _sees_plain_text(sample: Sample, outsider: Workload, way: Way) -> Verdict:
    """The witness sees the plain text of a caller without a sidecar, answered or not."""
    watched = watch(sample, outsider, Plan(f"http://{way}/hello"))
    return _seen(watched.towards(way.address, way.port, "plain"), "plain text", outsider, way)


def _sees_tls(sample: Sample, outsider: Workload, way: Way) -> Verdict:
    """The witness sees the TLS of a caller without a sidecar, answered or not."""
    before = sample.mesh.lab.counters()
    ask(outsider, way.address, way.port, SNI)
    counted = sample.mesh.lab.counters() - before
    seen = Watched(sample, outsider, (), counted).towards(way.address, way.port, "tls")
    return _seen(seen, "TLS", outsider, way)


def _seen(segments: int, what: str, outsider: Workload, way: Way) -> Verdict:
    expected = f"the witness to see {what} from {outsider} to {way}"
    outcome = Outcome.PASS if segments else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"{segments} segments"))
