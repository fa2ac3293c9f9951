"""What each kind of event in a run's record holds, as far as it is read again.

A record can come from anywhere, so what is read is checked against this; docs/record.md says it
in words. Whatever changes so that older readers would misread it takes a new ``SCHEMA``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD, EXIT_USAGE

SCHEMA = 2
"""The form of the records that are written and read."""
LARGEST = 10**15
"""Numbers beyond this are no seconds that anybody could reckon with."""

_Number = Annotated[float, Field(gt=-LARGEST, lt=LARGEST, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, lt=LARGEST)]
_Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "KNOWN"]


def _among(*allowed: int) -> AfterValidator:
    """Lets these numbers through. A Literal would take ``true`` for 1."""

    def check(number: int) -> int:
        if number not in allowed:
            raise ValueError(f"{number} is none of {allowed}")
        return number

    return AfterValidator(check)


_Form = Annotated[int, _among(SCHEMA)]
_ExitCode = Annotated[int, _among(EXIT_HELD, EXIT_DID_NOT_HOLD, EXIT_COULD_NOT_TELL, EXIT_USAGE)]


class _Kind(BaseModel):
    """Fields that are not named here are let through: a later version may add some."""

    # Of most programs' runs no record is read: each kind is built when the first one is.
    model_config = ConfigDict(strict=True, extra="allow", defer_build=True)


class _Upgrade(_Kind):
    """The way of a deployment to another Istio; ``words``: how its id tells it."""

    to: str
    strategy: str
    first: str
    back_after: _Count | None
    words: str


class _Mesh(_Kind):
    """A deployment of a topology; ``installer``: by what, istioctl before there was a choice."""

    id: str
    topology: str
    istio: dict[str, str]
    kubernetes: str
    mtls: str
    variants: list[str]
    revision: str
    upgrade: _Upgrade | None = None
    installer: str = "istioctl"


class _Bare(_Kind):
    """Clusters without a mesh; ``clusters``: the kind configuration of each."""

    id: str
    clusters: dict[str, str]
    wiring: str
    kubernetes: str


class _Machine(_Kind):
    cores: _Count
    memory: _Count
    kernel: str
    distribution: str


class _Gateway(_Kind):
    port: _Count
    hostname: bool


class _Cluster(_Kind):
    """Of a bare lab the name, the ranges and the nodes alone."""

    name: str
    pods: str
    services: str
    nodes: _Count
    role: str = ""
    network: str = ""
    primary: str = ""
    mesh: str = ""
    trust_domain: str = ""
    root: str = ""
    gateway: _Gateway | None = None
    reads: list[str] = []
    versions: dict[str, _Count] = {}


class _Passes(_Kind):
    caller: str
    called: str
    flows: list[str]


class _Topology(_Kind):
    clusters: list[_Cluster]
    passes: list[_Passes]


class _Mutant(_Kind):
    id: str
    what: str


class _Proof(_Kind):
    sabotages: list[str]
    mutants: list[_Mutant]


class _RunBegin(_Kind):
    form: _Form = Field(alias="schema")
    meshproof: str
    request: dict[str, Any]
    machine: _Machine
    deployments: list[_Mesh | _Bare]
    topologies: dict[str, _Topology] = {}
    proofs: dict[str, _Proof] = {}
    tests: list[str]


class _Engine(_Kind):
    name: str
    version: str


class _Artifacts(_Kind):
    engine: _Engine
    source: str
    digest: str
    parts: dict[str, str]
    proxies: dict[str, str]
    filters_off: list[str] = []


class _NotApplicable(_Kind):
    test: str
    behaviour: str
    sentence: str
    deployment: str
    reason: str
    told: bool


class _KnownIssue(_Kind):
    link: str
    seen: str
    shows: bool


class _Test(_Kind):
    test: str
    behaviour: str
    sentence: str
    suite: str
    level: str
    feature: str
    deployment: _Mesh | _Bare
    caller: str | None
    pair: list[str] | None
    step: _Count | None = None
    outcome: Literal["PASS", "FAIL", "INCONCLUSIVE", "KNOWN", "skipped"]
    why: str
    cause: str = ""
    seconds: _Number
    evidence: list[str]
    proves: list[str]
    known_issues: list[_KnownIssue] = []


class _Share(_Kind):
    caller: str
    version: str
    count: _Count
    calls: _Count
    low: _Number
    high: _Number
    expected: _Number | None
    interval: Annotated[list[_Number], Field(min_length=2, max_length=2)] | None


class _Judged(_Kind):
    test: str
    outcome: _Verdict
    expected: str
    observed: str
    evidence: dict[str, str]
    shares: list[_Share] = []


class _Route(_Kind):
    upstream: str
    cluster: str
    version: str
    answer: str
    calls: _Count


class _Calls(_Kind):
    caller: str
    cluster: str
    url: str
    calls: _Count
    answers: dict[str, _Count]
    versions: dict[str, _Count]
    upstreams: dict[str, _Count]
    routes: list[_Route] = []
    lines: list[dict[str, str | int]] = []
    seconds: _Number


class _Packets(_Kind):
    place: str
    kind: str
    packets: _Count


class _Conversation(_Packets):
    source: str
    target: str


class _Wire(_Kind):
    packets: list[_Packets]
    flows: list[_Conversation]


class _Done(_Kind):
    what: str
    begin: _Number
    end: _Number


class _StreamLane(_Kind):
    caller: str
    answered: dict[str, list[_Count]]
    lost: list[_Count]
    slowest: list[_Count]


class _Stream(_Kind):
    begin: _Number
    seconds: _Number
    width: Annotated[float, Field(gt=0, lt=LARGEST, allow_inf_nan=False)]
    rate: _Number
    calls: _Count
    lost: _Count
    marks: list[_Done]
    lanes: list[_StreamLane]


class _StageOfAnUpgrade(_Kind):
    number: _Count
    name: str
    begin: _Number
    seconds: _Number
    settled: _Number
    missing: str = ""
    trouble: str
    calls: _Count
    lost: _Count
    how: str
    outage: _Number


class _Transition(_Kind):
    deployment: str
    old: str = Field(alias="from")
    to: str
    strategy: str
    planned: _Count
    stages: list[_StageOfAnUpgrade]


class _Settled(_Kind):
    deployment: str
    seconds: _Number
    missing: str
    gateways: dict[str, str] = {}


class _StepBegin(_Kind):
    step: str


class _StepEnd(_Kind):
    step: str
    seconds: _Number
    outcome: str


class _Found(_Kind):
    lab: str
    done: Literal["left", "repaired", "mended", "broken"]
    text: str


class _RunEnd(_Kind):
    exit_code: _ExitCode


_KINDS: Mapping[str, type[_Kind]] = {
    "run-begin": _RunBegin,
    "artifacts": _Artifacts,
    "not-applicable": _NotApplicable,
    "step-begin": _StepBegin,
    "step-end": _StepEnd,
    "settled": _Settled,
    "calls": _Calls,
    "wire": _Wire,
    "stream": _Stream,
    "transition": _Transition,
    "found": _Found,
    "verdict": _Judged,
    "test": _Test,
    "run-end": _RunEnd,
}


def is_as_recorded(kind: str, data: Mapping[str, Any]) -> bool:
    """Whether an event of this kind can hold this; of a kind that is not read again any can."""
    try:
        if kind in _KINDS:
            _KINDS[kind].model_validate(data)
    except ValidationError:
        return False
    return True


def json_schemas() -> dict[str, dict[str, Any]]:
    """What each kind of event holds, as JSON Schemas, by kind: for manuals and other programs."""
    return {kind: model.model_json_schema() for kind, model in _KINDS.items()}
