"""Machines that lack something, other engines than one thinks; `doctor`, `bench`, and the rest."""

from __future__ import annotations

import pytest

from tests.cli import laid
from tests.cli.harness import LONG, Case, case, check, goes_on, refused, unable
from tests.cli.laid import LAB_ID, all_of, file, lab
from tests.cli.world import ENGINES, World

REPORTS = ("work/reports",)
DOCKER = "docker"
EMULATED, LINK = "docker that is podman", "docker that is a link to podman"
DOWN = "docker without a daemon"


def without(*names: str) -> laid.Lay:
    """A machine without these programs."""
    return lambda world: world.take_away(*names)


def docker(what: str) -> laid.Lay:
    """A machine whose docker is one of ENGINES."""
    return lambda world: world.put("docker", ENGINES[what])


def only(name: str, script: str) -> laid.Lay:
    """A machine whose one engine is a script."""
    return all_of(without("podman", "docker"), lambda world: world.put(name, script))


NO_ENGINE = "no container engine can be used"
LACKS = [
    unable(
        "an nft that answers nothing",
        "status",
        "'nft -j list counters' did not answer in JSON, but: nothing",
        lay=lambda world: world.put("nft", "exit 0"),
    ),
    *(
        unable(
            f"{argv}, without {name}",
            argv,
            f"{name} is not on this machine",
            "doctor --fix",
            lay=without(name),
        )
        for name in ("nft", "ip", "nsenter", "iptables")
        for argv in ("verify bare", "up", "bench")
    ),
    unable(
        "without nft and ip",
        "verify",
        "ip and nft are not on this machine",
        lay=without("nft", "ip"),
    ),
    unable("without setpriv", "verify", "setpriv", lay=without("setpriv")),
    *(
        unable(f"{argv}, without an engine", argv, NO_ENGINE, lay=without("podman"))
        for argv in (
            "verify bare",
            "up",
            "bench",
            "sweep",
            "artifacts list",
            "artifacts prune",
            "artifacts build",
            "sweep --dry-run",
        )
    ),
    case(
        "status without an engine",
        "status",
        2,
        NO_ENGINE,
        LAB_ID,
        lay=all_of(lab(), without("podman")),
    ),
    unable(
        "down without an engine",
        f"down {LAB_ID}",
        "podman is not installed",
        lay=all_of(lab(), without("podman")),
    ),
    unable(
        "down with another engine only",
        f"down {LAB_ID}",
        "podman is not installed",
        lay=all_of(lab(), without("podman"), docker(DOCKER)),
    ),
    goes_on(
        "only listed, without an engine",
        "verify --collect-only",
        lay=without("podman", "nft", "ip"),
    ),
    unable("no PATH to speak of", "verify", "is not", env={"PATH": "/nonexistent"}),
    unable(
        "docker wanted, podman there",
        "verify --engine docker",
        "docker is not installed",
        "use '--engine podman', which works here",
    ),
    unable(
        "docker's daemon is down",
        "verify --engine docker",
        "does not answer",
        "use '--engine podman'",
        lay=docker(DOWN),
    ),
    unable(
        "and there is no other",
        "verify --engine docker",
        "does not answer",
        "doctor",
        lay=all_of(docker(DOWN), without("podman")),
    ),
    unable(
        "docker is podman",
        "up --engine docker",
        "docker on this machine is podman",
        "use '--engine podman'",
        lay=docker(EMULATED),
    ),
    unable(
        "docker is a link",
        "up --engine docker",
        "docker on this machine is podman",
        lay=docker(LINK),
    ),
    goes_on("docker is podman, unnamed", "verify bare", lay=docker(EMULATED), makes=REPORTS),
    goes_on("docker is down, unnamed", "verify bare", lay=docker(DOWN), makes=REPORTS),
    goes_on("docker", "verify bare", lay=docker(DOCKER), makes=REPORTS),
    goes_on(
        "docker without iptables",
        "verify bare",
        lay=all_of(docker(DOCKER), without("iptables")),
        makes=REPORTS,
    ),
    unable("an engine that says nothing", "up", NO_ENGINE, "podman", lay=only("podman", "")),
    unable(
        "an engine that is another program",
        "up",
        "the program podman is no podman",
        lay=only("podman", "echo hello"),
    ),
    unable(
        "an engine that answers nonsense",
        "up",
        NO_ENGINE,
        "cannot be read",
        lay=only("podman", 'case $1 in --version) echo podman version 4;; *) echo "[]";; esac'),
    ),
    unable("an engine that cannot be run", "up", "podman", lay=only("podman", "kill -9 $$")),
    unable(
        "docker elsewhere",
        "up --engine docker",
        "docker runs elsewhere",
        env={"DOCKER_HOST": "tcp://10.0.0.1:2375"},
        lay=docker(DOCKER),
    ),
]
DOCTOR = [
    refused("doctor, another engine", "doctor --engine Podman", "did you mean podman"),
    refused("doctor, another source", "doctor --artifacts bogus", "choose one of published"),
    refused("doctor, no engine", ["doctor", "--engine", ""], "there is no engine ''"),
    refused("doctor, an argument", "doctor all", "all"),
    case(
        "doctor, nothing there",
        "doctor",
        2,
        "This machine is not ready",
        lay=without("podman", "nft", "ip"),
    ),
    case(
        "doctor, docker is podman",
        "doctor --engine docker",
        2,
        "--engine podman",
        lay=docker(EMULATED),
    ),
    case(
        "doctor, of a source tree",
        "doctor --artifacts checkout",
        2,
        "This machine",
        lay=without("nft"),
    ),
    case(
        "doctor mends",
        "doctor --fix",
        None,
        went="mend",
        lay=all_of(without("nft"), lambda w: w.put("apt-get", "")),
    ),
    case("doctor, the store is a file", "doctor", 2, "This machine", lay=file("store")),
]
BENCH = [
    *(
        refused(f"bench, {given!r} rounds", ["bench", f"--rounds={given}"], "--rounds")
        for given in ("0", "-1", "x", "", "1.5", "nan")
    ),
    refused("bench, no such clusters", "bench --clusters nowhere", "nowhere"),
    refused("bench, clusters of nothing", ["bench", "--clusters", ""], "is no name for a cluster"),
    refused("bench, no such topology", "bench --topology nope", "there is no topology 'nope'"),
    refused("bench, a file", "bench --topology my.yaml", "my.yaml"),
    refused("bench, another engine", "bench --engine podmann", "did you mean podman"),
    refused("bench into a folder", "bench --output {work}", "--output names a folder"),
    refused("bench into nothing", ["bench", "--output", ""], "--output"),
    unable("bench into a file's folder", "bench --output x/y.json", "x", lay=file("x")),
    unable("bench into /proc", "bench --output /proc/1/x/y.json", "/proc/1/x"),
    unable(
        "bench, working directory gone", "bench", "the working directory is gone", lay=laid.gone
    ),
    case("bench", "bench", None, went="figures"),
    case("bench, streams", "bench --stream", None, went="figures"),
    case(
        "bench, a topology", "bench --topology primary-remote-flat --rounds 1", None, went="figures"
    ),
]
PROGRAM = [
    case("the version", "--version", 0, "meshproof 0.1.0"),
    case("help", "--help", 0, "verify", "doctor"),
    case("help, short", "-h", 0, "verify", "doctor"),
    *(
        case(f"help of {command}", f"{command} -h", 0, "--help")
        for command in (
            "verify",
            "report",
            "up",
            "down",
            "status",
            "sweep",
            "doctor",
            "bench",
            "artifacts",
            "artifacts prune",
            "behaviours",
        )
    ),
    refused("no such command", "verfiy", "verfiy", "verify"),
    refused("a command in capitals", "VERIFY", "VERIFY"),
    refused("an empty command", [""], "there is no command"),
    refused("a command of 100 kB", [LONG], "there is no command"),
    refused("a command of two lines", ["a\nb"], "there is no command"),
    refused(
        "an option before the command", "--engine podman verify", "there is no option '--engine'"
    ),
    refused("an option that is nearly one", "--versio", "--version"),
    case("no command", "", 64, "verify", "doctor"),
    case("no command of artifacts", "artifacts", 64, "build", "prune"),
    goes_on("behaviours", "behaviours"),
    goes_on("behaviours as markdown", "behaviours --markdown"),
    refused("behaviours of something", "behaviours bare", "bare"),
    unable(
        "verify, working directory gone", "verify", "the working directory is gone", lay=laid.gone
    ),
    unable(
        "verify, gone, and a file",
        "verify --topology-file x.yaml",
        "working directory is gone",
        lay=laid.gone,
    ),
    goes_on("verify, no home", "verify", env={"HOME": None}, makes=REPORTS),
    goes_on("verify, no PATH", "verify --collect-only", env={"PATH": None}),
    unable(
        "Ctrl-C while artifacts are made",
        "verify",
        "Interrupted.",
        raises=KeyboardInterrupt(),
        makes=REPORTS,
    ),
    unable(
        "no room while they are made",
        "up",
        "/x could not be read or written (no space left on device)",
        raises=OSError(28, "No space left on device", "/x"),
    ),
]


@pytest.mark.parametrize("one", [*LACKS, *DOCTOR, *BENCH, *PROGRAM])
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
