"""What was asked of a run, as one frozen value: every option is declared here, and nowhere else.

A field's name is the option's: ``topology_file`` is ``--topology-file`` of `meshproof verify`,
``--meshproof-topology-file`` of pytest and the key "topology_file" of a request's file. Its type
says what the option takes: a word, a path, several of either, or nothing (a switch).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from meshproof.errors import ModelError
from meshproof.model.behaviour import Profile
from meshproof.model.installer import InstalledBy
from meshproof.model.known_issue import Policy
from meshproof.model.member import Mtls
from meshproof.model.upgrade import Strategy
from meshproof.model.variants import USUAL_REVISION, VARIANTS
from meshproof.nearest import choose

VERIFYS, PYTESTS = "--", "--meshproof-"
"""What options begin with: those of `meshproof verify`, and those of pytest, where names without
it would collide with other plugins'."""
AUTO = "auto"
"""As many workers as there is room for."""
CALLS = "50"
"""Calls a second that a stream makes in each cluster, by default."""
ONCE = "1"
"""How often each test is judged, by default."""
_ROUND = re.compile(r"-#\d+(?=\]$)")
"""How a test's id ends that is judged several times: which time it is."""


def asked(
    help: str,
    *,
    choices: tuple[str, ...] = (),
    noun: str = "",
    shown: str = "",
    short: str = "",
    positional: bool = False,
    hidden: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What manuals and messages say of an option, as a field's metadata.

    ``choices``: the words that it takes, where these are all; ``noun``: what such a word is, as in
    "mTLS mode", or what a path names, as in "a topology file"; ``shown``: what stands for its value
    in manuals; ``short``: how `meshproof verify` takes it as well; ``positional``: it takes its
    values without a name; ``hidden``: of VERIFYS and PYTESTS those that have no such option.
    """
    return {
        "help": f"{help}: {', '.join(choices)}" if choices else help,
        "choices": choices,
        "noun": noun,
        "shown": shown,
        "short": short,
        "positional": positional,
        "hidden": hidden,
    }


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for, as it was written; ``meshproof.run.selection`` judges it.

    Raises ModelError for a word that an option does not take.
    """

    topology: tuple[str, ...] = field(
        default=(),
        metadata=asked(
            "a topology's name; by default nearly all. 'bare' and 'bare-nodes' (several nodes "
            "each) stand for clusters without a mesh",
            shown="TOPOLOGY",
            positional=True,
        ),
    )
    topology_file: tuple[Path, ...] = field(
        default=(), metadata=asked("a topology of your own", noun="a topology file", shown="FILE")
    )
    mtls: tuple[str, ...] = field(
        default=(),
        metadata=asked(
            "instead of the default ones", choices=tuple(Mtls), noun="mTLS mode", shown="MODE"
        ),
    )
    variant: tuple[str, ...] = field(
        default=(),
        metadata=asked("in addition", choices=tuple(VARIANTS), noun="variant", shown="NAME"),
    )
    revision: str | None = field(
        default=None,
        metadata=asked(
            f"in addition: Istio under this revision's name (else '{USUAL_REVISION}')", shown="NAME"
        ),
    )
    installer: str | None = field(
        default=None,
        metadata=asked(
            "what installs Istio, else what is usual for each topology, nearly always istioctl",
            choices=tuple(InstalledBy),
            noun="installer",
            shown="NAME",
        ),
    )
    istio: tuple[str, ...] = field(
        default=(),
        metadata=asked(
            "version, 'latest', the newest of one as in 1.31, or east=1.31.0,west=1.31.1",
            shown="VERSION",
        ),
    )
    upgrade_to: str | None = field(
        default=None,
        metadata=asked("judge the way from that Istio to this version", shown="VERSION"),
    )
    strategy: str = field(
        default=Strategy.IN_PLACE.value,
        metadata=asked(
            "how an upgrade is done", choices=tuple(Strategy), noun="strategy of an upgrade"
        ),
    )
    first: str | None = field(
        default=None,
        metadata=asked("the cluster whose control plane an upgrade begins with", shown="CLUSTER"),
    )
    rollback: bool = field(
        default=False, metadata=asked("after an upgrade, go back the way it came")
    )
    rollback_after: tuple[str, ...] = field(
        default=(), metadata=asked("go back after this step of an upgrade", shown="N")
    )
    kubernetes: str | None = field(
        default=None, metadata=asked("version, for example 1.36.3", shown="VERSION")
    )
    unsupported_kubernetes: bool = field(
        default=False,
        metadata=asked("also a Kubernetes that the Istio does not support, by its project's table"),
    )
    profile: str = field(
        default=Profile.CORE.value,
        metadata=asked(
            "'core' is what users rely on, 'all' every topology in every mode and variant, and "
            "extended behaviours",
            choices=tuple(Profile),
            noun="profile",
        ),
    )
    sabotage: bool = field(
        default=False, metadata=asked("also break meshes, to see every claim fail")
    )
    mutants: bool = field(
        default=False,
        metadata=asked("also compile small faults into istiod, and see a few of them noticed"),
    )
    enforce: bool = field(default=False, metadata=asked("what is skipped undeclared has failed"))
    known_issues: str = field(
        default=Policy.ALLOW.value,
        metadata=asked(
            "whether the run holds although a known issue of Istio shows",
            choices=tuple(Policy),
            noun="policy on known issues",
        ),
    )
    only: str | None = field(
        default=None,
        metadata=asked("one test, or one behaviour, by its id", shown="ID"),
    )
    deployment: tuple[str, ...] = field(
        default=(), metadata=asked("of all that is asked for, this alone", shown="ID")
    )
    suite: tuple[str, ...] = field(
        default=(), metadata=asked("this suite alone", noun="suite", shown="NAME")
    )
    behaviour: tuple[str, ...] = field(
        default=(),
        metadata=asked("behaviours by their ids, of every level, as in 'routing/*'", shown="GLOB"),
    )
    keyword: str | None = field(
        default=None,
        metadata=asked(
            "tests by words of their names, as pytest's -k takes them",
            shown="EXPR",
            short="-k",
            hidden=(PYTESTS,),
        ),
    )
    rerun_failed: Path | None = field(
        default=None,
        metadata=asked(
            "what failed, or could not be told, in this run; what else is asked for is then, by "
            "default, what that run was asked for",
            noun="a run's folder",
            shown="RUN",
        ),
    )
    fail_fast: bool = field(
        default=False,
        metadata=asked("end with the first test that does not hold", hidden=(PYTESTS,)),
    )
    repeat: str = field(default=ONCE, metadata=asked("judge each test so many times", shown="N"))
    calls: str = field(
        default=CALLS,
        metadata=asked("calls a second in each cluster while something is done", shown="N"),
    )
    suites: tuple[str, ...] = field(
        default=(),
        metadata=asked(
            "folders, files or tests, as pytest takes them; else meshproof's own",
            hidden=(VERIFYS, PYTESTS),
        ),
    )
    engine: str | None = field(
        default=None, metadata=asked("podman or docker; else the first found", shown="NAME")
    )
    artifacts: str | None = field(
        default=None,
        metadata=asked("published, built or checkout; else what the store has", shown="SOURCE"),
    )
    checkout: Path | None = field(
        default=None,
        metadata=asked(
            "an Istio source tree to build", noun="an Istio source tree", shown="FOLDER"
        ),
    )
    hub: str | None = field(
        default=None,
        metadata=asked(
            "the registry and path of Istio's images, as in registry.example/me, or by cluster, as "
            "in west=registry.example/me; else those of its releases",
            shown="HUB",
        ),
    )
    tag: str | None = field(
        default=None,
        metadata=asked(
            "the tag of Istio's images, or by cluster, as in west=1.32.0-rc.1; else the version",
            shown="TAG",
        ),
    )
    istioctl: Path | None = field(
        default=None,
        metadata=asked(
            "the istioctl that belongs to them; else the release's",
            noun="an istioctl",
            shown="FILE",
        ),
    )
    image_archive: tuple[Path, ...] = field(
        default=(),
        metadata=asked(
            "a file of 'docker save' or 'podman save -m' with images that are not pulled then",
            noun="an archive of images",
            shown="FILE",
        ),
    )
    charts: Path | None = field(
        default=None,
        metadata=asked(
            "the Helm charts that belong to them, as in Istio's manifests/charts; else the "
            "version's own",
            noun="a folder of charts",
            shown="FOLDER",
        ),
    )
    pool: str | None = field(
        default=None,
        metadata=asked(
            "private range for the labs' networks; else the first free one", shown="RANGE"
        ),
    )
    keep: bool = field(default=False, metadata=asked("leave the last lab in place at the end"))
    reuse: str | None = field(
        default=None,
        metadata=asked(
            "use this kept lab instead of a new one, its mesh as it is found", shown="LAB"
        ),
    )
    repair: bool = field(
        default=False,
        metadata=asked(
            "install the kept lab's mesh anew where it is not as it was installed, or of another "
            "deployment"
        ),
    )
    cluster: tuple[str, ...] = field(
        default=(),
        metadata=asked(
            "a cluster of your own in the place of one of kind's: what the topology calls it, its "
            "kubeconfig and the context there, as in east=FILE:CONTEXT",
            shown="NAME=FILE:CONTEXT",
        ),
    )
    cluster_file: Path | None = field(
        default=None,
        metadata=asked(
            "the same for several clusters, as a file", noun="a file of clusters", shown="FILE"
        ),
    )
    yes: str | None = field(
        default=None,
        metadata=asked(
            "the names of your clusters that may be changed, with commas; else you are asked",
            shown="NAMES",
        ),
    )
    workload_images: str | None = field(
        default=None,
        metadata=asked(
            "the image of our workloads, where your clusters have it from, as 'meshproof artifacts "
            "push' prints it",
            shown="IMAGE",
        ),
    )
    workers: str = field(
        default=AUTO,
        metadata=asked(
            f"labs side by side: a number, or {AUTO}, as many as there is room for",
            hidden=(PYTESTS,),
        ),
    )
    reports: Path = field(
        default=Path("reports"),
        metadata=asked(
            "the folder in which runs are kept", noun="the folder of reports", shown="FOLDER"
        ),
    )

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            value = getattr(self, name)
            for word in value if option.several else (value,):
                if word is not None and option.choices and word not in option.choices:
                    cause = f"there is no {option.noun or name} '{word}'"
                    raise ModelError(cause, choose(word, option.choices))


@dataclass(frozen=True, slots=True)
class Option:
    """An option, as its field declares it (``asked``).

    ``kind``: what each of its values is, of which there are ``several`` or one; a bool is a
    switch.
    """

    field: str
    kind: type
    several: bool
    default: object
    help: str
    choices: tuple[str, ...]
    noun: str
    shown: str
    short: str
    positional: bool
    hidden: tuple[str, ...]

    @property
    def name(self) -> str:
        """Without what options begin with: "topology-file"."""
        return self.field.replace("_", "-")

    def of(self, whose: str) -> str:
        """The option of VERIFYS or PYTESTS."""
        return f"{whose}{self.name}"


def words(request: RunRequest, whose: str) -> list[str]:
    """What the request asks for as words of a command line, by the options of VERIFYS or PYTESTS;
    what is the default, or has no option there, is left out."""
    found: list[str] = []
    unnamed: list[str] = []
    for option in OPTIONS.values():
        value = getattr(request, option.field)
        if value == option.default or whose in option.hidden:
            continue
        if option.kind is bool:
            found.append(option.of(whose))
            continue
        several = map(str, value if option.several else (value,))
        if option.positional and whose == VERIFYS:
            unnamed += several
        else:
            found += [f"{option.of(whose)}={one}" for one in several]
    return [*found, *unnamed]


def has_own_clusters(request: RunRequest) -> bool:
    """Whether a mesh is judged on clusters of somebody's own."""
    return bool(request.cluster) or request.cluster_file is not None


_OF_MANY = (
    "topology",
    "sabotage",
    "mutants",
    "deployment",
    "suite",
    "behaviour",
    "keyword",
    "rerun_failed",
    "fail_fast",
    "repeat",
    "workers",
    "reports",
)
"""The fields that say something of many tests, or of where a run is kept."""


def of_all_rounds(test: str) -> str:
    """A test's id without the number that each of several rounds has: "test_a[east-#2]" is
    "test_a[east]"."""
    return _ROUND.sub("", test)


def once_more(
    request: RunRequest, test: str, lab: str | None, *, repair: bool = False
) -> RunRequest:
    """The request for one of a run's tests again, on a lab that is kept; ``lab``: the run's own,
    where it was kept; ``repair``: whether the mesh on that is another than the test's.

    Which topologies were asked for makes no difference: one test is looked for on all of them.
    """
    usual, own = RunRequest(), has_own_clusters(request)
    return replace(
        request,
        **{name: getattr(usual, name) for name in _OF_MANY if not (own and name == "topology")},
        only=of_all_rounds(test),
        keep=not own,  # in clusters of one's own nothing is left
        reuse=None if own else lab,
        repair=lab is not None and (repair or request.repair),
    )


def command_line(request: RunRequest, *pytests: str) -> list[str]:
    """The command line that asks for just this: `meshproof verify` for meshproof's own suites,
    pytest for others, of which that knows nothing. ``pytests``: what only pytest is given."""
    if request.suites:
        own = [f"{PYTESTS}conformance", *words(request, PYTESTS)]
        return ["pytest", *pytests, *request.suites, *own]
    return ["meshproof", "verify", *words(request, VERIFYS)]


def _declared() -> dict[str, Option]:
    found = {}
    hints = get_type_hints(RunRequest)
    for one in fields(RunRequest):
        hint = hints[one.name]
        kinds = [part for part in get_args(hint) if part not in (type(None), ...)] or [hint]
        several = isinstance(one.default, tuple)
        found[one.name] = Option(one.name, kinds[0], several, one.default, **one.metadata)
    return found


OPTIONS: Mapping[str, Option] = _declared()
"""All options, by their fields' names, in the order in which manuals tell them."""
_NAMED = (
    *("topology", "topology_file", "reuse", "suites", "suite", "behaviour", "only"),
    *("rerun_failed", "upgrade_to"),
)


def in_short(asked: Mapping[str, object]) -> bool:
    """Whether it is enough to judge each core behaviour where it stands for what it is elsewhere:
    what is named, a topology, kept lab, suite, behaviour or test, is judged wherever it applies.

    ``asked``: a request, by its fields' names, as a run's record has it too.
    """
    return asked.get("profile") == Profile.CORE and not any(asked.get(name) for name in _NAMED)
