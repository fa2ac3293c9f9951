"""Judges calls by what the caller saw, what the API knows and what the caller's proxy logged.

None of these pass on nothing: no calls, or calls without the evidence, are INCONCLUSIVE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from meshproof.expect.verdict import Outcome, Verdict, all_of
from meshproof.traffic.access_log import LogLine
from meshproof.traffic.response import Refused, Response

_EXAMPLES = 3


def believable(responses: Sequence[Response], attempts: int = 1) -> Verdict:
    """PASS when caller, access log and API agree on every call. For callers with a sidecar.

    ``attempts``: how often a call may be sent upstream, more than once where a rule has it
    retried. FAIL: the log has another status than the caller saw; a call was sent upstream more
    often (a retry hides an error), or never although an endpoint was chosen; the answer names a
    pod that no API knows, or a version that is not the pod's label. INCONCLUSIVE: an answered
    call has no line in the access log; ids repeat, so that lines cannot be told apart; no call
    was answered and none has a line. Calls that were refused need no line: a name that does not
    resolve never gets to the proxy. Rule: ``topologies.md``, Distribution, "matched by request
    id with the caller's access log". Attempts are 0 where Envoy chose no host, as with UH: it
    sets the count only afterwards (its router filter).
    """
    expected = f"caller, access log and API to agree on {len(responses)} calls"
    if not responses:
        return _nothing(expected)
    ids = Counter(response.id for response in responses)
    repeated = [f"{name} ({count} times)" for name, count in ids.items() if count > 1]
    if repeated:
        observed = f"request ids that repeat, such as {repeated[0]}: their lines are ambiguous"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, _examples(responses))
    wrong = [fault for response in responses for fault in _contradictions(response, attempts)]
    if wrong:
        evidence = {f"contradiction {n}": fault for n, fault in enumerate(wrong[:_EXAMPLES], 1)}
        observed = f"{len(wrong)} contradictions, such as: {wrong[0]}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return _all_logged(responses, expected)


def succeeded(responses: Sequence[Response]) -> Verdict:
    """PASS when every call was answered with 200; FAIL counts what came instead."""
    expected = f"{len(responses)} calls to succeed"
    if not responses:
        return _nothing(expected)
    lost = [response for response in responses if not response.succeeded]
    if lost:
        observed = f"{len(lost)} did not: {_count(map(_ending, lost))}; such as {_example(lost[0])}"
        return Verdict(Outcome.FAIL, expected, observed, _examples(lost))
    return Verdict(Outcome.PASS, expected, "all of them did", _examples(responses))


def served_by_exactly(responses: Sequence[Response], versions: Mapping[str, str]) -> Verdict:
    """PASS when each version answered from its cluster and nothing else came of any call.

    ``versions``: the cluster in which each version runs. The pod's label and cluster are the
    API's, so v2 answering from v1's cluster is a FAIL that names both, as is a call that was
    not answered by any known version. A version that never answered is a FAIL: make enough
    calls. INCONCLUSIVE: fewer calls than versions. Rule: ``topologies.md``, Distribution.
    """
    wanted = " and ".join(f"{version} from {cluster}" for version, cluster in versions.items())
    expected = f"{len(responses)} calls to be answered by {wanted or 'versions'}, all of them"
    if not responses or not versions:
        return _nothing(expected, "no calls" if versions else "no versions to compare with")
    evidence = {"answers": who_answered(responses), **_examples(responses)}
    strays = [one for one in responses if not _at_home(one, versions)]
    if strays:
        observed = (
            f"{len(strays)} answered otherwise: {who_answered(strays)}; "
            f"such as {_example(strays[0])}"
        )
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    seen = {agreed_version(response) for response in responses}
    absent = [version for version in versions if version not in seen]
    if absent and len(responses) < len(versions):
        observed = f"{len(responses)} calls, too few for {len(versions)} versions"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    if absent:
        observed = f"{', '.join(absent)} never answered: {evidence['answers']}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, evidence["answers"], evidence)


def answered_from_home(responses: Sequence[Response], versions: Mapping[str, str]) -> Verdict:
    """PASS when calls are believable, all of them succeeded, and each version answered from its
    cluster and nobody else did: ``believable``, ``succeeded`` and ``served_by_exactly`` at once."""
    return all_of(
        [believable(responses), succeeded(responses), served_by_exactly(responses, versions)]
    )


def none_served_by(responses: Sequence[Response], version: str) -> Verdict:
    """PASS when every call was answered, by a pod that the API knows, and none by ``version``.

    FAIL: the answer or the API says ``version``. INCONCLUSIVE: a call of which nobody knows who
    served it, for it may have been meant for ``version``.
    """
    expected = f"none of {len(responses)} calls to be answered by {version}"
    if not responses:
        return _nothing(expected)
    evidence = {"answers": who_answered(responses), **_examples(responses)}
    bad = [one for one in responses if version in (one.version, one.server and one.server.version)]
    if bad:
        observed = f"{len(bad)} were, such as {_example(bad[0])}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    unknown = [one for one in responses if agreed_version(one) is None]
    if unknown:
        observed = (
            f"{len(unknown)} of which nobody knows who served them: {who_answered(unknown)}; "
            f"such as {_example(unknown[0])}"
        )
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, evidence["answers"], evidence)


def went_through(responses: Sequence[Response], hosts: Collection[str], what: str) -> Verdict:
    """PASS when each call's access log has one of ``hosts`` as upstream host.

    ``hosts``: "address:port" as Envoy writes them; ``what`` they are, for people. A call for
    which no endpoint was chosen is a FAIL too. INCONCLUSIVE: a call without a log line.
    Rule: ``topologies.md``, Path.
    """
    expected = f"{len(responses)} calls to go through {what} ({', '.join(sorted(hosts)) or '-'})"
    if not responses or not hosts:
        return _nothing(expected, "no calls" if hosts else "no addresses to compare with")
    logged = [(response, line) for response in responses if (line := _line(response)) is not None]
    evidence = {
        "upstream hosts": _count(line.upstream_host or "none" for _, line in logged),
        **_examples(responses),
    }
    wrong = [
        (one.id, line.upstream_host) for one, line in logged if line.upstream_host not in hosts
    ]
    if wrong:
        name, host = wrong[0]
        observed = f"{len(wrong)} did not, such as call {name}: upstream_host is {host or 'none'}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if len(logged) < len(responses):
        observed = f"{len(responses) - len(logged)} without a line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, evidence["upstream hosts"], evidence)


def refused_with(
    responses: Sequence[Response],
    *,
    status: int | None = None,
    flags: str = "",
    refusal: Refused | None = None,
    detail: str = "",
) -> Verdict:
    """PASS when every call ended as all of the given criteria say, and none with 200.

    ``status``: the HTTP status that the caller saw; ``flags``: Envoy's response flags that the
    log line must have, comma-separated, others may be there too; ``refusal``: how the call
    ended without a status; ``detail``: text in what the refusal said, in the body, or in the
    log's details or upstream failure. INCONCLUSIVE: no criteria, or a call without a log line
    that only the log could decide.
    """
    words = [f"status {status}"] if status is not None else []
    words += [f"'{refusal.value}'"] if refusal is not None else []
    words += [f"flags {flags}"] if flags else []
    words += [f"'{detail}' in the details"] if detail else []
    expected = f"{len(responses)} calls to end with {' and '.join(words) or 'something'}"
    if not responses or not words:
        return _nothing(expected, "no calls" if words else "no way of ending to compare with")
    evidence = {"ended": _count(map(_ending, responses)), **_examples(responses)}
    undecided = []
    for response in responses:
        plain = _ended_with(response, status, refusal)
        logged = _logged_with(response, flags, detail)
        if not plain or logged is False:
            observed = f"{evidence['ended']}; such as {_example(response)}"
            return Verdict(Outcome.FAIL, expected, observed, evidence)
        undecided += [response] if logged is None else []
    if undecided:
        observed = (
            f"{len(undecided)} without a line in the caller's access log, "
            f"such as {_example(undecided[0])}"
        )
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, f"all of them did: {evidence['ended']}", evidence)


def agreed_version(response: Response) -> str | None:
    """The version that answered, if the answer and the label of its pod agree; else None."""
    if response.server is None or response.server.version != response.version:
        return None
    return response.version


def _nothing(expected: str, what: str = "no calls") -> Verdict:
    return Verdict(Outcome.INCONCLUSIVE, expected, what)


def _line(response: Response) -> LogLine | None:
    """The call's log line, if it is really its own."""
    log = response.log
    return log if log is not None and log.request_id == response.id else None


def _all_logged(responses: Sequence[Response], expected: str) -> Verdict:
    """PASS when every answered call has a line in the access log, and there is a line at all."""
    answered = [response for response in responses if response.status is not None]
    unlogged = [response for response in answered if _line(response) is None]
    if unlogged:
        observed = (
            f"{len(unlogged)} of {len(answered)} answered calls have no line in the caller's "
            f"access log, such as {_example(unlogged[0])}: are access logs on?"
        )
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, _examples(unlogged))
    logged = [response for response in responses if _line(response) is not None]
    if not logged:
        observed = f"no answer and no line in the access log: {_count(map(_ending, responses))}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, _examples(responses))
    observed = f"all agree: {len(answered)} answered, {len(logged)} in the access log"
    return Verdict(Outcome.PASS, expected, observed, _examples(logged))


def _contradictions(response: Response, allowed: int) -> Iterator[str]:
    if lie := _lie(response):
        yield f"call {response.id}: {lie}"
    line = _line(response)
    if line is None:
        return
    if response.status is not None and line.status != response.status:
        yield (
            f"call {response.id}: the caller saw {response.status}, "
            f"its access log says {line.status}"
        )
    if line.attempts > allowed:
        times = f"{line.attempts} times: a hidden retry"
        yield f"call {response.id} was sent upstream {times}; it came to {response}"
    if line.attempts < 1 and line.upstream_host:
        yield (
            f"call {response.id} was sent upstream {line.attempts} times, "
            f"although {line.upstream_host} was chosen"
        )


def _lie(response: Response) -> str:
    """How the answer's claim differs from what the API says of the pod; "" when it does not."""
    if response.version is None or agreed_version(response) is not None:
        return ""
    claim = f"the answer claims {response.version} in pod {response.pod or 'without a name'}"
    if response.server is None:
        return f"{claim}, which no cluster's API knows"
    return f"{claim}, which the API of {response.cluster} labels {response.server.version}"


def _at_home(response: Response, versions: Mapping[str, str]) -> bool:
    version = agreed_version(response)
    return version is not None and versions.get(version) == response.cluster


def _ended_with(response: Response, status: int | None, refusal: Refused | None) -> bool:
    return (
        not response.succeeded
        and (status is None or response.status == status)
        and (refusal is None or response.refusal is refusal)
    )


def _logged_with(response: Response, flags: str, detail: str) -> bool | None:
    """Whether flags and detail are there; None when only a log line could tell."""
    line = _line(response)
    told = [response.said, response.body]
    told += [line.details, line.upstream_failure] if line else []
    detailed = any(detail in text for text in told)
    if line is None:
        return True if detailed and not flags else None
    return detailed and set(flags.split(",")) - {""} <= set(line.flags.split(","))


def who_answered(responses: Iterable[Response]) -> str:
    """How many calls each version, or nobody that is known, answered, and how, in words."""
    return _count(map(_who, responses))


def _who(response: Response) -> str:
    """Who served the call, for counting; how it ended when nobody known did."""
    version = agreed_version(response)
    if version is not None:
        return f"{version} from {response.cluster}"
    if response.version is not None:
        return f"{response.version} by its own claim only"
    return f"{_ending(response)} by nobody known"


def _ending(response: Response) -> str:
    """How the call ended, for counting."""
    if response.refusal is not None:
        return response.refusal.value
    line = _line(response)
    return f"{response.status} [{line.flags}]" if line and line.flags else f"{response.status}"


def _count(kinds: Iterable[str]) -> str:
    """A histogram in words, the most frequent first: "7 x v1 from east, 1 x 503 [UH]"."""
    return ", ".join(f"{count} x {kind}" for kind, count in Counter(kinds).most_common())


def _example(response: Response) -> str:
    return f"call {response.id}: {_lie(response) or response}"


def _examples(responses: Sequence[Response]) -> dict[str, str]:
    return {f"call {one.id}": str(one) for one in responses[:_EXAMPLES]}
