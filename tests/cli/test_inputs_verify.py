"""`verify` with everything that a command line can say: refused in one sentence, or it goes on."""

from __future__ import annotations

import pytest

from tests.cli.harness import (
    LONG,
    Case,
    check,
    goes_on,
    refused,
    unable,
)
from tests.cli.records import begin, end, judged, lay, whole
from tests.cli.world import World

REPORTS = ("work/reports",)
OWN = "--hub registry.example/me"


def program(world: World) -> None:
    """An istioctl in the working directory."""
    (world.work / "istioctl").touch(mode=0o755)


NAMES = [
    refused("nothing by that name", "verify nothing-like-it", "there is no topology", "choose"),
    refused("nearly a name", "verify primary-remote-flatt", "did you mean primary-remote-flat"),
    refused("capitals", "verify Primary-Remote-Flat", "did you mean primary-remote-flat"),
    refused("all capitals", "verify BARE", "did you mean bare"),
    refused("underscores", "verify primary_remote_flat", "did you mean primary-remote-flat"),
    refused("a part of a name", "verify external-control", "did you mean external-control-plane"),
    refused("an empty name", ["verify", ""], "there is no topology ''", "choose one of"),
    refused("a blank", ["verify", " "], "there is no topology ' '"),
    refused("two blanks around", ["verify", " bare "], "did you mean bare"),
    refused("a file's name", "verify good.yaml", "use '--topology-file good.yaml'"),
    refused("a file's path", "verify ./good", "use '--topology-file ./good'"),
    refused("a path upward", "verify ../../etc/passwd", "looks like a file"),
    refused("a dot", "verify .", "there is no topology '.'"),
    refused("names with commas", "verify bare,primary-remote-flat", "there is no topology"),
    refused("one that is, one that is not", "verify bare nope", "there is no topology 'nope'"),
    refused("unicode digits", ["verify", "\u0661\u0662"], "there is no topology"),
    refused("a newline", ["verify", "bare\n"], "did you mean bare"),
    refused("terminal control", ["verify", "\x1b[2Jbare"], "there is no topology"),
    refused("not UTF-8", ["verify", "bar\udce9"], "there is no topology"),
    refused("100 kB", ["verify", LONG], "there is no topology"),
    refused("an option as a name", "verify -- --full", "there is no topology '--full'"),
]


VERSIONS = [
    refused("Kubernetes: a word", "verify bare --kubernetes abc", "'abc' is no version", "1.36.3"),
    refused(
        "and only listed", "verify --collect-only --kubernetes abc", "no version of Kubernetes"
    ),
    refused("Kubernetes: nothing", ["verify", "--kubernetes", ""], "'' is no version"),
    refused("Kubernetes: minus one", "verify --kubernetes -1", "'-1' is no version"),
    refused("Kubernetes: two parts", "verify --kubernetes 1.36", "write it as in 1.36.3"),
    refused("Kubernetes: unknown", "verify --kubernetes 1.2.3", "choose one of 1.36.1, 1.36.3"),
    refused(
        "and only listed, too", "verify --collect-only --kubernetes 9.9.9", "not in the catalog"
    ),
    refused("Kubernetes: latest", "verify --kubernetes latest", "'latest' is no version"),
    refused(
        "Kubernetes: unicode digits", ["verify", "--kubernetes", "\u0661.36.3"], "is no version"
    ),
    refused("Kubernetes: huge", f"verify --kubernetes {'9' * 5000}.1.1", "is no version"),
    refused("Kubernetes: 100 kB", ["verify", "--kubernetes", LONG], "is no version"),
    refused("Kubernetes: a path", "verify --kubernetes ../1.36.3", "is no version"),
    refused(
        "Kubernetes: a newline",
        ["verify", "--kubernetes", "1.36\n.3"],
        "is no version",
    ),
    refused("Istio: a word", "verify --istio abc", "no version of Istio", "1.31.0, 1.31.1"),
    refused("Istio: one of Kubernetes", "verify --istio 1.36.3", "choose one of 1.31.0, 1.31.1"),
    refused("Istio: unknown, only listed", "verify --collect-only --istio 1.2.3", "1.31.1"),
    refused("Istio: nothing", ["verify", "--istio", ""], "no version of Istio"),
    goes_on("Istio: two with a comma", "verify --istio 1.31.0,1.31.1", makes=REPORTS),
    refused("Istio: two commas", "verify --istio 1.31.0,,1.31.1", "no version of Istio"),
    goes_on(
        "Istio: the newest",
        "verify --istio latest --artifacts built",
        "Istio latest is 1.31.1, by what can be built here.",
        makes=REPORTS,
    ),
    goes_on(
        "Istio: the newest of one",
        "verify --istio east=1.31,west=1.31.0",
        "Istio 1.31 is 1.31.1",
        makes=REPORTS,
    ),
    refused("Istio: none of it", "verify --istio 1.30", "no release of Istio 1.30", "1.31"),
    refused(
        "Istio: not with that Kubernetes",
        "verify --artifacts published --istio 1.29.4 --kubernetes 1.36.3",
        "Istio 1.29.4 supports Kubernetes 1.31 to 1.35, and not 1.36.3",
    ),
    goes_on(
        "Istio: not with that Kubernetes, and judged all the same",
        "verify --artifacts published --istio 1.29.4 --kubernetes 1.36.3 --unsupported-kubernetes",
        makes=REPORTS,
    ),
    goes_on("a private build", f"verify {OWN} --tag 1.32.0-rc.1", makes=REPORTS),
    goes_on(
        "a private build of one cluster",
        "verify primary-remote-flat --hub west=registry.example/me --tag west=1.32.0-rc.1",
        makes=REPORTS,
    ),
    goes_on(
        "two private builds",
        "verify primary-remote-flat --hub registry.example/me --tag east=a,west=b "
        "--istio east=1.32.0-a,west=1.32.0-b",
        makes=REPORTS,
    ),
    refused(
        "two builds of one version",
        "verify primary-remote-flat --hub west=registry.example/me",
        "east and west are both of Istio 1.31.1, and their images differ",
    ),
    refused(
        "a tag of one cluster that is no version",
        "verify primary-remote-flat --tag west=mine",
        "add '--istio west=VERSION'",
    ),
    refused(
        "a tag of no cluster",
        "verify primary-remote-flat --tag nope=1.32.0-rc.1",
        "has a cluster 'nope'",
    ),
    refused("a hub of nothing", "verify --hub west=", "does not say which cluster has what"),
    refused("a hub twice", "verify --hub west=a.b,west=c.d", "names cluster west twice"),
    refused("hubs of which one is none", "verify --hub east=istio", "name the registry"),
    refused(
        "an istioctl of two",
        "verify primary-remote-flat --tag east=1.32.0-a,west=1.32.0-b --istioctl {work}/istioctl",
        "--istioctl is of one Istio, and 1.32.0-a and 1.32.0-b have images of their own",
        lay=program,
    ),
    refused(
        "a build of one cluster, and several versions",
        "verify primary-remote-flat --tag west=mine --istio 1.31.0,1.31.1",
        "hub and tag by cluster are of one mesh",
    ),
    goes_on(
        "a private build, as 'repro' asks for it",
        f"verify primary-remote-flat {OWN} --tag mine --istio east=1.32.0-a,west=1.32.0-a",
        makes=REPORTS,
    ),
    refused(
        "a build of one cluster alone",
        "verify primary-remote-flat --tag mine --istio east=1.32.0-a",
        "--tag: that is of one Istio",
        registry=True,
    ),
    goes_on("a hub alone", f"verify {OWN}", makes=REPORTS),
    refused("a tag that is no version", f"verify {OWN} --tag mine", "add '--istio VERSION'"),
    refused("a tag that is none", "verify --tag a/b --istio 1.31.1", "'a/b' is no tag"),
    refused("a hub that is none", "verify --hub istio", "name the registry and the path"),
    refused("an istioctl that is none", "verify --istioctl {work}/none", "is no program"),
    refused("no such installer", "verify --installer sail", "there is no installer 'sail'"),
    refused(
        "an upgrade by Helm",
        "verify primary-remote-flat --installer helm --istio 1.31.0 --upgrade-to 1.31.1",
        "an upgrade is done by istioctl, and one by helm is not built",
    ),
    refused(
        "a mesh that nobody can push",
        "verify host-member primary-remote-flat --installer pushed",
        "--installer pushed: primary-remote-flat has no host that manages all of it",
    ),
    refused(
        "charts that nobody uses",
        "verify primary-remote-flat --charts {work}",
        "nothing that is asked for is installed by Helm: add '--installer helm'",
    ),
    refused(
        "charts that are not there",
        "verify primary-remote-flat --installer helm --charts {work}/none",
        "holds no chart 'base': let --charts name a folder with base in it",
    ),
    refused(
        "charts of two",
        "verify --installer helm --charts {work} --istio 1.31.0,1.31.1",
        "--charts are those of one Istio",
    ),
    refused("own: no file", "verify multi-primary-flat --cluster east", "no cluster and file"),
    refused("one's own: none there", "verify multi-primary-flat --cluster east=x", "no kubeconfig"),
    refused("one's own: no topology", "verify --cluster east=x", "which topology"),
    refused("one's own: bare", "verify bare --cluster east=x", "judged by their router"),
    refused("one's own, kept", "verify zones --cluster east=x --keep", "--keep is not for"),
    refused("yes to nothing", "verify --yes east", "--yes is about clusters of your own"),
    refused("bare clusters by Helm", "verify bare --installer helm", "--installer says nothing"),
    goes_on("all by Helm", "verify --installer helm", makes=REPORTS),
    refused("an archive that is none", "verify --image-archive {work}/none", "cannot read"),
    refused(
        "an archive and built",
        "verify --image-archive istioctl --artifacts built",
        "--image-archive: that is of images to be pulled",
        lay=program,
    ),
    refused("an archive of nothing", "verify --image-archive istioctl", "no archive", lay=program),
    refused("a build and built", f"verify {OWN} --artifacts built", "leave it out"),
    refused(
        "a build of two",
        "verify --tag 1.31.1 --istio 1.31.0,1.31.1",
        "--tag: that is of one Istio",
    ),
    refused("Istio: no such cluster", "verify --istio nope=1.31.0", "has a cluster 'nope'", "east"),
    refused("Istio: a cluster twice", "verify --istio east=1.31.0,east=1.31.1", "east twice"),
    refused("Istio: a cluster without", "verify --istio east=", "does not say which Istio"),
    refused("Istio: without a cluster", "verify --istio =1.31.0", "does not say which Istio"),
    refused("Istio: a cluster's unknown", "verify --istio east=1.2.3", "choose one of 1.31.0"),
    refused("Istio: a cluster's word", "verify --istio east=abc", "no version of Istio"),
    refused("Istio: two equal signs", "verify --istio east==1.31.0", "no version of Istio"),
    refused("Istio: a trailing comma", "verify --istio east=1.31.0,", "does not say which Istio"),
    refused("Istio: on bare clusters", "verify bare --istio 1.31.1", "--istio says nothing"),
    goes_on("Istio: both", "verify --istio 1.31.0 --istio 1.31.1", makes=REPORTS),
    goes_on("Istio: with a v", "verify --istio v1.31.1", makes=REPORTS),
    goes_on("Istio: by cluster", "verify --istio east=1.31.0,west=1.31.1", makes=REPORTS),
    goes_on("unknown, and a registry", "verify --istio 1.99.0", registry=True, makes=REPORTS),
    goes_on(
        "Kubernetes twice: the last", "verify --kubernetes x --kubernetes 1.36.1", makes=REPORTS
    ),
    refused(
        "Kubernetes twice: the last is wrong", "verify --kubernetes 1.36.1 --kubernetes x", "'x'"
    ),
]
MODES = [
    refused("no such mode", "verify --mtls strickt", "strict"),
    refused("a mode in capitals", "verify --mtls STRICT", "strict"),
    refused("a mode of nothing", ["verify", "--mtls", ""], "strict"),
    refused("modes with a comma", "verify --mtls strict,disabled", "by itself"),
    refused("a mode of bare clusters", "verify bare --mtls permissive", "--mtls says nothing"),
    refused(
        "and only listed", "verify bare --mtls permissive --collect-only", "--mtls says nothing"
    ),
    refused(
        "several of bare clusters", "verify bare --mtls strict --istio 1.31.1", "--mtls and --istio"
    ),
    refused("a pool of nothing", ["verify", "--pool", ""], "is no range"),
    refused("a public pool", "verify --pool 8.8.8.0/24", "is not private"),
    refused(
        "a pool that a cluster has",
        "verify primary-remote-flat --pool 10.10.0.0/16",
        "the pool 10.10.0.0/16 overlaps the pods (10.10.0.0/16) of cluster east",
    ),
    refused(
        "a pool too small",
        "verify primary-remote-flat --pool 10.213.0.0/24",
        "holds 1 network, and a lab needs 2",
    ),
    refused(
        "a pool too small for several",
        "verify primary-remote-flat --pool 10.213.0.0/23 --workers 2",
        "each of 2 labs at once needs 2",
    ),
    refused("a pool and a lab", "verify bare --pool 10.213.0.0/16 --reuse 01234567", "already"),
    goes_on("a pool", "verify primary-remote-flat --pool 10.213.0.0/16", makes=REPORTS),
    refused("no such variant", "verify --variant mesh-network", "did you mean mesh-networks"),
    refused("a variant of nothing", ["verify", "--variant", ""], "there is no variant ''"),
    refused("a variant in capitals", "verify --variant Revision", "did you mean revision"),
    refused("a variant of 100 kB", ["verify", "--variant", LONG], "there is no variant"),
    refused("a variant of bare clusters", "verify bare --variant revision", "needs a topology"),
    refused(
        "one network", "verify primary-remote-flat --variant mesh-networks", "several networks"
    ),
    refused("one root", "verify primary-remote-flat --variant unrelated-roots", "control planes"),
    refused("a revision of nothing", ["verify", "--revision", ""], "'' is no name for a revision"),
    refused("a blank as revision", ["verify", "--revision", " "], "' ' is no name"),
    refused("a revision in capitals", "verify --revision Blue", "'Blue' is no name", "lower-case"),
    refused("a revision with a dot", "verify --revision 1.31", "'1.31' is no name"),
    refused("a revision with a newline", ["verify", "--revision", "blue\n"], "is no name"),
    refused("a revision of unicode digits", ["verify", "--revision", "٣"], "is no name"),
    refused("a revision too long", f"verify --revision {'a' * 57}", "56 at most"),
    refused("a revision of 100 kB", ["verify", "--revision", LONG], "56 at most"),
    refused("the default revision", "verify --revision default", "choose another name"),
    refused("a revision of bare clusters", "verify bare --revision blue", "needs a topology"),
    goes_on("every level, on bare clusters", "verify bare --profile all", makes=REPORTS),
    refused("no such profile", "verify --profile al", "there is no profile 'al': did you mean all"),
    refused("a profile in capitals", "verify --profile ALL", "did you mean all"),
    refused("a profile of nothing", ["verify", "--profile", ""], "choose one of core, all"),
    goes_on(
        "bare clusters and others", "verify bare primary-remote-flat --mtls strict", makes=REPORTS
    ),
    goes_on("a name twice", "verify bare bare", makes=REPORTS),
    goes_on("a mode twice", "verify --mtls strict --mtls strict", makes=REPORTS),
]
WORKERS = [
    refused("a thousand workers", "verify --workers 1000", "this machine's memory", "up to"),
    refused("a thousand, only listed", "verify --workers 1000 --collect-only", "memory"),
    refused("no workers", "verify --workers 0", "give a number from 1, or auto"),
    refused("minus one", "verify --workers -1", "give a number from 1"),
    refused("minus one, with a sign", "verify --workers=-1", "give a number from 1"),
    refused("half a worker", "verify --workers 0.5", "give a number from 1"),
    refused("nan", "verify --workers nan", "give a number from 1"),
    refused("infinitely many", "verify --workers inf", "give a number from 1"),
    refused("workers in unicode", ["verify", "--workers", "٣"], "give a number from 1"),
    refused("a superscript", ["verify", "--workers", "²"], "give a number from 1"),
    refused("in hexadecimal", "verify --workers 0x2", "give a number from 1"),
    refused("with an exponent", "verify --workers 1e3", "give a number from 1"),
    refused("with a plus", "verify --workers +2", "give a number from 1"),
    refused("with a newline", ["verify", "--workers", "2\n"], "give a number from 1"),
    refused("nothing", ["verify", "--workers", ""], "give a number from 1"),
    refused("a number of 5000 digits", f"verify --workers {'9' * 5000}", "give a number"),
    refused("a word", "verify --workers many", "give a number from 1, or auto"),
    refused("Auto", "verify --workers Auto", "give a number from 1, or auto"),
    refused("two that keep", "verify --workers 2 --keep", "--keep is about one lab"),
    refused("two that use one", "verify --workers 2 --reuse 01234567", "--reuse is about one lab"),
    goes_on("one that keeps", "verify bare --workers 1 --keep", makes=REPORTS),
    goes_on("two", "verify --workers 2", makes=REPORTS),
]
SELECTED = [
    refused("no such suite", "verify --suite routng", "there is no suite 'routng': did you mean"),
    refused("a suite of nothing", ["verify", "--suite", ""], "there is no suite ''"),
    refused("suites with commas", "verify --suite routing,weight", "give each name by itself"),
    refused("and only listed", "verify --suite nope --collect-only", "there is no suite 'nope'"),
    refused("no calls", "verify --calls 0", "--calls is '0': give a number from 1"),
    refused("many calls", "verify --calls many", "--calls is 'many'"),
    refused("no times", "verify --repeat 0", "--repeat is '0': give a number from 1"),
    refused("minus one times", "verify --repeat -1", "--repeat is '-1'"),
    refused("half a time", "verify --repeat 0.5", "--repeat is '0.5'"),
    refused("too often", "verify --repeat 10000", "a number from 1 to 9999"),
    refused("times in unicode", ["verify", "--repeat", "٣"], "give a number from 1"),
    refused("times of 5000 digits", f"verify --repeat {'9' * 5000}", "give a number from 1"),
    refused("no such run", "verify --rerun-failed nowhere", "is no run's folder"),
    refused("a run of nothing", ["verify", "--rerun-failed", ""], "named by an empty word"),
    refused(
        "a run in which all held",
        "verify --rerun-failed run",
        "nothing failed in",
        lay=lay(whole(["PASS"], 0)),
    ),
    refused(
        "a run that was asked for what there is not",
        "verify --rerun-failed run",
        "has the key 'colour', which there is not",
        lay=lay([begin("t0", request={"colour": "red"}), judged("t0", "FAIL"), end(1)]),
    ),
    refused("two lists", "verify --collect-only --dry-run", "ask for two lists"),
    refused("no shards", "matrix --shards 0", "--shards is '0': give a number from 1"),
    refused("shards in words", "matrix --shards many", "--shards is 'many'"),
    refused("a matrix of nothing there is", "matrix nowhere", "there is no topology 'nowhere'"),
    goes_on("the order alone", "verify --dry-run"),
    goes_on("the order for programs", "verify --dry-run --json"),
    goes_on("a matrix", "matrix --json --shards 3 --profile all"),
    goes_on("several times, and no further", "verify --repeat 3 --fail-fast", makes=REPORTS),
    goes_on("quietly", "verify -q", makes=REPORTS),
    goes_on("for programs", "verify --json", makes=REPORTS),
    goes_on("listed by suite", "verify --suite routing -k header --collect-only"),
]
OTHERS = [
    refused("no such option", "verify --enginee podman", "--enginee", "--engine"),
    refused("an option of pytest's", "verify -x", "there is no option '-x'"),
    refused("an option without value", "verify --engine", "requires an argument"),
    refused("a switch with a value", "verify --enforce=yes", "does not take a value"),
    refused("what --profile replaces", "verify --full", "there is no option '--full'"),
    refused(
        "an option of pytest's own kind", "verify --meshproof-mtls strict", "there is no option"
    ),
    refused("reports that are not UTF-8", ["verify", "--reports", "r\udce9"], "is not UTF-8"),
    refused("an engine in capitals", "verify --engine Podman", "did you mean podman"),
    refused("and only listed", "verify --engine Podman --collect-only", "did you mean podman"),
    refused("an engine of nothing", ["verify", "--engine", ""], "there is no engine ''"),
    refused("no such engine", "verify --engine containerd", "choose one of docker, podman"),
    refused("an engine's path", "verify --engine /usr/bin/podman", "there is no engine"),
    refused("an engine of 100 kB", ["verify", "--engine", LONG], "there is no engine"),
    refused("no such source", "verify --artifacts bogus", "choose one of published, built"),
    refused("and only listed, too", "verify --artifacts bogus --collect-only", "choose one of"),
    refused("a source of nothing", ["verify", "--artifacts", ""], "there is no source ''"),
    refused("a source in capitals", "verify --artifacts Built", "there is no source 'Built'"),
    refused("a source of 100 kB", ["verify", "--artifacts", LONG], "there is no source"),
    refused("a checkout of none", "verify --artifacts checkout", "add '--checkout FOLDER'"),
    refused("repair of no lab", "verify --repair", "none is named: add '--reuse LAB'"),
    refused("reuse of no id", "verify --reuse nonsense", "'nonsense' is no lab's id"),
    refused("reuse of no lab", "verify --reuse 01234567", "there is no lab '01234567'"),
    refused("and only listed, again", "verify --reuse 01234567 --collect-only", "there is no lab"),
    refused("reuse of nothing", ["verify", "--reuse", ""], "'' is no lab's id"),
    refused("reuse of a path", "verify --reuse ../../v", "'../../v' is no lab's id"),
    unable(
        "no memory of the reports",
        "verify --reports {work}/file/x",
        "file",
        lay=lambda w: (w.work / "file").touch(),
    ),
    unable(
        "reports is a file",
        "verify",
        "the folder of reports",
        "file exists",
        lay=lambda w: (w.work / "reports").touch(),
    ),
    unable(
        "reports is a broken link",
        "verify",
        "the folder of reports",
        lay=lambda w: (w.work / "reports").symlink_to("nowhere/x"),
    ),
    unable(
        "reports is a loop of links",
        "verify",
        "the folder of reports",
        lay=lambda w: (w.work / "reports").symlink_to("reports"),
    ),
    unable("reports on a full device", "verify --reports /dev/full", "/dev/full"),
    unable("reports below /proc", "verify --reports /proc/1/x", "/proc/1/x"),
    refused(
        "reports of nothing",
        ["verify", "--reports", ""],
        "an empty word",
    ),
    unable(
        "reports with a long name",
        ["verify", "--reports", "a" * 300],
        "the folder of reports",
        "name too long",
    ),
    unable("reports of 100 kB", ["verify", "--reports", LONG], "the folder of reports"),
    goes_on("reports, only listed", "verify --collect-only --reports /dev/full"),
    goes_on("only listed", "verify --collect-only"),
    goes_on("everything", "verify", makes=REPORTS),
    goes_on("everything there is", "verify --profile all --enforce --sabotage", makes=REPORTS),
]


@pytest.mark.parametrize("one", [*NAMES, *VERSIONS, *MODES, *WORKERS, *SELECTED, *OTHERS])
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
