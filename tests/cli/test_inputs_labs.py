"""`up`, `down`, `status` and `sweep`: ids, clusters, and state folders that hold anything."""

from __future__ import annotations

import pytest

from tests.cli import laid
from tests.cli.harness import LONG, Case, case, check, refused, unable
from tests.cli.laid import (
    LAB_ID,
    WIRED,
    all_of,
    file,
    foreign,
    lab,
    leases,
    loop,
    noted_faults,
    noted_mesh,
)
from tests.cli.world import World

TWICE = "the sentence is printed twice, once as if it had been overcome"
HEAD = "a heading without a list is printed before the sentence"
NO_ID = "eight hexadecimal digits"
IDS = {
    "nothing": "",
    "a dot": ".",
    "two dots": "..",
    "a slash": "/",
    "a folder": "{work}/v",
    "a folder upward": "../../v",
    "the labs' folder": "{state}/labs",
    "a lab's own folder": "{state}/labs/" + LAB_ID,
    "a blank": " ",
    "a blank behind": LAB_ID + " ",
    "a newline behind": LAB_ID + "\n",
    "a slash behind": LAB_ID + "/",
    "seven digits": LAB_ID[:7],
    "nine digits": LAB_ID + "0",
    "capitals": LAB_ID.upper(),
    "unicode digits": "٠١٢٣٤٥٦٧",
    "full width letters": "".join(chr(ord(letter) + 0xFEE0) for letter in "abcdefab"),
    "a container's name": f"mp-{LAB_ID}-east",
    "a lock's name": f"{LAB_ID}.lock",
    "two ids with a comma": f"{LAB_ID},{LAB_ID}",
    "a star": "*",
    "not UTF-8": "\udcff\udcfe",
    "terminal control": "\x1b[2J",
    "a marker of bytes": "\ufeff" + LAB_ID,
    "100 kB": LONG,
}
DOWN = [
    *(refused(f"down {name}", ["down", given], NO_ID, lay=foreign) for name, given in IDS.items()),
    *(
        refused(f"dry run, {name}", ["down", IDS[name], "--dry-run"], NO_ID, lay=foreign)
        for name in ("nothing", "a dot", "a folder upward")
    ),
    refused("down without an id", "down", "Missing argument"),
    refused("down two", f"down {LAB_ID} 89abcdef", "89abcdef", lay=lab()),
    refused("down none of these", "down 89abcdef", "there is no lab '89abcdef'", lay=lab()),
    refused("down a minus", "down -1", "there is no option '-1'"),
    refused("down an id behind --", "down -- -1", NO_ID),
    refused("down in nobody's folder", "down 89abcdef", "not marked", lay=foreign),
    case("down, dry", f"down {LAB_ID} --dry-run", 0, "would be removed", "folder", lay=lab()),
]
CLUSTERS = [
    refused("up nothing", ["up", "--clusters", ""], "is no name for a cluster"),
    refused("up a blank", ["up", "--clusters", " "], "is no name for a cluster"),
    refused("up a comma", "up --clusters ,", "is no name for a cluster"),
    refused("up with a comma behind", "up --clusters east,", "is no name for a cluster"),
    refused("up one twice", "up --clusters east,east", "two clusters are called east"),
    refused("up an unknown one", "up --clusters nowhere", "nowhere", "east"),
    refused("up an unknown configuration", "up --clusters east=nowhere", "nowhere"),
    refused("up without a configuration", "up --clusters east=", "east"),
    refused("up without a name", "up --clusters =east", "is no name for a cluster"),
    refused("up in capitals", "up --clusters East", "'East' is no name"),
    refused("up a newline", ["up", "--clusters", "east\nwest"], "is no name for a cluster"),
    refused("up unicode", ["up", "--clusters", "östlich"], "is no name for a cluster"),
    refused("up a path as a name", "up --clusters ../x", "is no name for a cluster"),
    refused("up a folder", "up --clusters east={work}", "folder"),
    refused(
        "up a file that is no YAML",
        "up --clusters east=./x.yaml",
        "x.yaml:1",
        lay=file("x.yaml", text="]"),
    ),
    refused(
        "up a loop of links", "up --clusters east=./loop.yaml", "loop.yaml", lay=loop("loop.yaml")
    ),
    refused("up 100 kB", ["up", "--clusters", LONG], "is no name for a cluster"),
    refused("up a long name", ["up", "--clusters", f"{'a' * 64}=east"], "37 characters at most"),
    refused("up the word for no cluster", "up --clusters outside=east", "choose another"),
    refused("up flat, with shared ranges", "up --clusters east,west=same --wiring flat", "overlap"),
    refused("up another wiring", "up --wiring Flat", "choose isolated or flat"),
    refused("up no wiring", ["up", "--wiring", ""], "choose isolated or flat"),
    refused("up a wiring of 100 kB", ["up", "--wiring", LONG], "choose isolated or flat"),
    refused("up another version", "up --kubernetes 1.2.3", "choose one of 1.36.1, 1.36.3"),
    refused("up Istio's Kubernetes", "up --istio 1.36.3", "choose one of 1.31.0, 1.31.1"),
    refused("up no checkout", "up --checkout {work}/none", "no Istio source tree"),
    refused("up with a topology", "up primary-remote-flat", "primary-remote-flat"),
    *(
        refused(f"up from a pool: {name}", ["up", "--pool", given], said)
        for name, (given, said) in {
            "nothing": ("", "is no range"),
            "a word": ("pool", "is no range"),
            "a blank": (" 10.213.0.0/16", "is no range"),
            "an address": ("10.213.0.0", "has no prefix length: write it as in 10.213.0.0/16"),
            "host bits": ("10.213.0.7/16", "write 10.213.0.0/16"),
            "a mask": ("10.213.0.0/255.255.0.0", "has no prefix length"),
            "a prefix of 33": ("10.213.0.0/33", "is no range"),
            "IPv6": ("fd00::/48", "is an IPv6 range"),
            "public": ("8.8.0.0/16", "8.8.0.0/16 is not private"),
            "loopback": ("127.0.0.0/16", "is not private"),
            "everything": ("0.0.0.0/0", "is not private"),
            "too small": ("10.213.0.0/25", "is too small"),
            "the clusters' own": ("10.0.0.0/8", "overlaps the pods (10.10.0.0/16) of cluster east"),
            "services": ("10.120.7.0/24", "overlaps the services (10.120.0.0/16) of cluster west"),
            "100 kB": (LONG, "is no range"),
        }.items()
    ),
    case("up", "up", None, went="lab"),
    case("up from a pool", "up --pool 10.213.0.0/16", None, went="lab"),
    case("up flat, one cluster", "up --clusters east --wiring flat", None, went="lab"),
]
STATES = [
    case("status of nothing", "status", 0, "No labs."),
    case("status of a lab", "status", 0, LAB_ID, "kept", "east, west", "1.36.3", lay=lab()),
    case(
        "status of a lab: networks",
        "status",
        0,
        f"Lab {LAB_ID} has the networks 172.30.0.0/24 (east), of the pool 172.30.0.0/16.",
        lay=lab(subnets={"east": "172.30.0.0/24"}, pool="172.30.0.0/16"),
    ),
    *(
        case(f"status of a lab: {name}", "status", 0, LAB_ID, "unreadable", lay=lab(text))
        for name, text in {
            "empty": "",
            "cut off": '{"id": "0123',
            "a list": "[]",
            "null": "null",
            "a NUL byte": "\0",
            "not UTF-8": b"\xff\xfe",
            "deep": "[" * 10_000,
            "a number of 5000 digits": '{"created": ' + "9" * 5000 + "}",
            "10 MB": '"' + "x" * 10_000_000,
        }.items()
    ),
    case("status of a lab: wrong types", "status", 0, "unreadable", lay=lab(created="yesterday")),
    case("status of a lab: another's id", "status", 0, "unreadable", lay=lab(id="ffffffff")),
    case("status of a lab: with markup", "status", 0, LAB_ID, lay=lab(kubernetes="[/]")),
    case(
        "status of a lab: with terminal control",
        "status",
        0,
        LAB_ID,
        unsaid=["\x1b"],
        lay=lab(kubernetes="\x1b[2J"),
    ),
    case("status of a lab: infinitely old", "status", 0, LAB_ID, lay=lab(created=float("inf"))),
    case("status of a lab: huge time", "status", 0, LAB_ID, lay=lab(created=1e308)),
    refused("status: not ours", "status", "not marked as a state folder", lay=foreign),
    case(
        "status: description is a folder",
        "status",
        0,
        "unreadable",
        lay=all_of(
            lab(),
            lambda w: (w.state / "labs" / LAB_ID / "lab.json").unlink(),
            lambda w: (w.state / "labs" / LAB_ID / "lab.json").mkdir(),
        ),
    ),
    unable("status: state is a file", "status", "{state}", lay=file("state")),
    unable("status: state is a loop", "status", "{state}", lay=loop("state")),
    refused(
        "status: labs is a file",
        "status",
        "labs",
        lay=all_of(lambda w: w.state.mkdir(), lambda w: (w.state / "labs").touch()),
    ),
    refused(
        "status: nobody's home",
        "status",
        "no home directory ~nobody-here",
        env={"MESHPROOF_STATE": "~nobody-here/x"},
    ),
    case("status: no home", "status", 0, "No labs.", env={"HOME": None}),
    case("status: home is no folder", "status", 0, "No labs.", env={"HOME": "/dev/null"}),
    case("status: working directory gone", "status", 0, "No labs.", lay=laid.gone),
    unable(
        "status: gone, and a relative state",
        "status",
        "the working directory is gone",
        lay=laid.gone,
        env={"MESHPROOF_STATE": "x"},
    ),
    refused("status with an argument", "status all", "all"),
    *(
        unable(
            f"leases: {name}",
            f"down {LAB_ID} --dry-run",
            "subnets.json",
            lay=all_of(lab(), leases(text)),
        )
        for name, text in {
            "empty": "",
            "a list": "[]",
            "cut off": '{"10.',
            "not UTF-8": b"\xff",
            "deep": "[" * 10_000,
            "the whole Internet": '{"0.0.0.0/0": "0123abcd"}',
            "somebody's network": '{"8.8.8.0/24": "0123abcd"}',
            "wrong types": '{"10.0.0.0/24": 1}',
            "a word": '{"x": "0123abcd"}',
            "10 MB": '{"x": "' + "y" * 10_000_000 + '"}',
        }.items()
    ),
    unable("up, and the state is a file", "up", "{state}", lay=file("state")),
    unable("up, and the state is a loop", "up", "{state}", lay=loop("state")),
    refused("up, and the state is not ours", "up", "{state}", "not marked", lay=foreign),
    unable("up, and the leases are broken", "up", "subnets.json", lay=leases("[]")),
    unable("verify, and the state is a file", "verify", "{state}", lay=file("state")),
    refused(
        "verify, and the state is not ours",
        "verify",
        "{state}",
        "not marked",
        lay=foreign,
    ),
    unable("sweep with broken leases", "sweep", "subnets.json", lay=leases("[]")),
    unable("sweep: state is a file", "sweep", "{state}", lay=file("state")),
    case("sweep of nothing", "sweep", 0, "Nothing to remove."),
    case("sweep of nothing, dry", "sweep --dry-run", 0, "Nothing would be removed."),
    case("sweep spares kept ones", "sweep", 0, "Nothing to remove.", lay=lab()),
    refused("sweep spares what is not ours", "sweep --kept", "not marked", lay=foreign),
    case("sweep, dry", "sweep --kept --dry-run", 0, f"Of lab {LAB_ID}", "folder", lay=lab()),
    refused("sweep with an id", f"sweep {LAB_ID}", LAB_ID, lay=lab()),
    refused("sweep --all", "sweep --all", "there is no option '--all'"),
    refused(
        "reuse of a lab that never came up",
        f"verify --reuse {LAB_ID}",
        "never came up",
        lay=lab(ready=False),
    ),
    unable("reuse of a damaged lab", f"verify --reuse {LAB_ID}", "cannot be read", lay=lab("[]")),
]


FAULTS = [
    case("faults", "faults", 0, "partition", "secret-rotated", "CLUSTER CLUSTER [FLOW]"),
    refused("faults of a lab", f"faults {LAB_ID}", LAB_ID),
    refused("fault without a name", f"fault {LAB_ID}", "Missing argument"),
    refused("fault of another name", f"fault {LAB_ID} partitoin", "did you mean partition"),
    refused("fault of nothing", ["fault", LAB_ID, ""], "there is no fault ''"),
    refused("fault of 100 kB", ["fault", LAB_ID, LONG], "there is no fault 'xxx"),
    refused("fault with too few words", f"fault {LAB_ID} partition east", "CLUSTER CLUSTER [FLOW]"),
    refused("fault with too many words", f"fault {LAB_ID} reset east", "reset takes nothing"),
    *(
        refused(f"fault on {name}", ["fault", given, "reset"], NO_ID, lay=foreign)
        for name, given in IDS.items()
    ),
    refused("fault on none of these", "fault 89abcdef reset", "no lab '89abcdef'", lay=lab()),
    refused(
        "fault on a lab that never came up",
        f"fault {LAB_ID} reset",
        "never came up",
        lay=lab(ready=False),
    ),
    unable("fault on a damaged lab", f"fault {LAB_ID} reset", "cannot be read", lay=lab("[]")),
    case(
        "fault on a lab of one's own topology",
        f"fault {LAB_ID} reset",
        None,
        went="lab",
        lay=all_of(lab(), noted_mesh("mine+1.31.1+strict", wired=WIRED)),
    ),
    refused(
        "fault on a lab of one's own topology that an older meshproof made",
        f"fault {LAB_ID} reset",
        "a mesh of mine, and an older meshproof noted",
        f"meshproof verify --reuse {LAB_ID}",
        lay=all_of(lab(), noted_mesh("mine+1.31.1+strict")),
    ),
    refused(
        "fault on a lab that was wired for one's own topology",
        f"fault {LAB_ID} reset",
        "has no mesh and is wired as 'mine'",
        lay=lab(wiring="mine"),
    ),
    case(
        "fault on a lab that was wired for a topology",
        f"fault {LAB_ID} reset",
        None,
        went="lab",
        lay=lab(wiring="multi-primary-flat"),
    ),
    unable(
        "fault on a lab with a damaged note of its wiring",
        f"fault {LAB_ID} reset",
        "mesh.json does not say what is needed",
        lay=all_of(lab(), noted_mesh("mine", wired={"name": "mine"})),
    ),
    *(
        unable(
            f"{command} on a lab with a damaged note of faults",
            f"{command} {LAB_ID} {more}",
            "faults.json",
            "meshproof down",
            lay=all_of(lab(), noted_faults("[{}]")),
        )
        for command, more in (("fault", "reset"), ("verify --reuse", ""))
    ),
    case("fault", f"fault {LAB_ID} reset", None, went="lab", lay=lab()),
    case(
        "fault on a lab with a mesh",
        f"fault {LAB_ID} partition east west gateway",
        None,
        went="lab",
        lay=all_of(lab(), noted_mesh("multi-primary-flat+1.31.1+strict")),
    ),
]


@pytest.mark.parametrize("one", [*DOWN, *CLUSTERS, *STATES, *FAULTS])
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
