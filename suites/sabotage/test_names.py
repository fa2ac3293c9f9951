"""Names that resolve where they should not, or do not where they should, are noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube.objects import applied
from meshproof.process import side_by_side
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import require
from meshproof.workloads.sample import HELLOWORLD, SLEEP, Sample
from suites.names.claims import (
    call_by_name,
    resolves_by_the_dns_proxy,
    resolves_once_the_service_exists,
    resolves_only_where_it_exists,
)
from suites.names.services import (
    await_no_name,
    is_none,
    name_of,
    remote_service,
    scattered_services,
    told_of_remote,
)
from suites.sabotage.shown import faults

Judge = Callable[[Verdict], None]


@proves("names/answers-once-the-service-exists", "names/dns-proxy-knows-remote-services")
def test_a_service_that_is_not_there_is_noticed(sample: Sample, caller: str, judge: Judge) -> None:
    """Without the Service, and without the DNS proxy, the claims that the name resolves fail."""
    what = f"a name that {caller} does not know"
    require(lambda: told_of_remote(sample, caller), until=is_none, what=what)
    verdicts = [
        resolves_once_the_service_exists(sample, caller),
        resolves_by_the_dns_proxy(sample, caller, app=SLEEP),
    ]
    judge(noticed(verdicts, "NXDOMAIN"))


@proves("names/only-where-the-service-exists", "names/answers-once-the-service-exists")
def test_a_service_too_many_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the Service, and an instance, here too, the claims that they are elsewhere fail."""
    clusters = list(sample.plan.values())
    with scattered_services(sample), ExitStack() as stack:
        for name in clusters:
            service = remote_service(sample, name)
            service["spec"]["selector"] = {"app": HELLOWORLD}  # whichever version is here
            stack.enter_context(applied(sample.mesh.cluster(name), [service]))
        side_by_side(sample.mesh.shell, lambda name: _require_own(sample, name), clusters)
        verdicts = [verdict for name in clusters for verdict in _noticed_in(sample, name)]
    side_by_side(sample.mesh.shell, lambda name: await_no_name(sample, name), clusters)
    judge(all_of(verdicts))


def _noticed_in(sample: Sample, caller: str) -> list[Verdict]:
    name = name_of(remote_service(sample, caller))
    own = f"{sample.local_version(caller)} from {caller}"
    return [
        noticed([resolves_only_where_it_exists(sample, caller)], f"{name} exists in {caller}"),
        noticed([resolves_once_the_service_exists(sample, caller)], own),
    ]


def _require_own(sample: Sample, caller: str) -> None:
    """Wait until the name resolves, and the caller's own instance answers by it as well."""
    name = name_of(remote_service(sample, caller))
    require(
        lambda: told_of_remote(sample, caller),
        until=lambda answer: answer.exists,
        what=f"{name} in {caller}",
    )

    def answering() -> set[str | None]:
        responses = call_by_name(sample, sample.caller(caller))
        told = faults(responses)
        return {told} if told else {one.cluster for one in responses}

    what = f"an instance of {caller}'s own behind {name}"
    require(answering, until=lambda seen: caller in seen, what=what)
