"""Interrupts runs at random moments and looks for anything left behind.

Not a unit test: it makes real clusters. `make interruptions` runs it; the artifacts must be
there. `meshproof up` is met while it creates, `meshproof verify` of one test also while it
judges and removes, and with a mesh while that is installed and judged. Half the runs get Ctrl-C
(SIGINT) and must clean up themselves, half get SIGKILL and `meshproof sweep`. What was on the
machine before must be there afterwards, and nothing else.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time

import psutil

from meshproof.engine import Engine, choose_engine
from meshproof.lab.network.subnets import Leases
from meshproof.lab.ownership import labs_dir
from meshproof.process import Shell

_ONE_TEST = (
    "suites/isolation/test_flat.py::test_api_servers_are_reached[disjoint-cidrs+flat-east-to-west]"
)
# What is run, and between which seconds it is interrupted.
_RUNS = (
    (["up"], 0.3, 35.0),
    (["verify", "--only", _ONE_TEST], 0.3, 55.0),
    (["verify", "primary-remote-split-horizon", "--mtls", "strict"], 20.0, 90.0),
)
_PROGRAMS = frozenset({"kind", "podman", "conmon", "netavark"})


def main() -> int:
    """Interrupt as often as the first argument says (30); exit code 1 when anything was left."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10**6)
    engine = choose_engine(Shell())
    moments = random.Random(seed)
    before = _inventory(engine)
    say = sys.stdout.write
    say(f"seed {seed}; before: {_count(before)}\n")
    dirty = 0
    for number in range(1, rounds + 1):
        how = signal.SIGKILL if number % 2 else signal.SIGINT
        command, earliest, latest = _RUNS[number // 2 % len(_RUNS)]
        moment = moments.uniform(earliest, latest)
        ended = f"{' '.join(command[:2])}, {_interrupt(command, how, moment)}"
        left = _inventory(engine) - before
        missing = before - _inventory(engine)
        dirty += bool(left or missing)
        verdict = f"LEFT {sorted(left)} MISSING {sorted(missing)}" if left or missing else "clean"
        say(f"{number:3} {how.name:8} after {moment:5.1f} s, {ended}: {verdict}\n")
        sys.stdout.flush()
    say(f"{rounds - dirty} of {rounds} clean\n")
    return 1 if dirty else 0


def _interrupt(command: list[str], how: signal.Signals, moment: float) -> str:
    program = shutil.which("meshproof") or "meshproof"
    up = subprocess.Popen(
        [program, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell starts what it puts in the background with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    begin = time.monotonic()
    try:
        output, _ = up.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        up.send_signal(how)
        output, _ = up.communicate(timeout=180)
    seconds = time.monotonic() - begin - moment
    kept = [line.rpartition(" ")[2] for line in output.splitlines() if "meshproof down" in line]
    for lab in kept:  # it was ready before the moment came
        subprocess.run([program, "down", lab], check=True, stdout=subprocess.DEVNULL)
    if how is signal.SIGKILL:
        subprocess.run([program, "sweep"], check=True, stdout=subprocess.DEVNULL)
    ready = bool(kept) or up.returncode == 0
    return "was ready" if ready else f"exit {up.returncode} {seconds:.1f} s later"


def _inventory(engine: Engine) -> set[str]:
    """Everything that a lab could leave behind, by name."""
    found = {f"container {one.name}" for one in engine.containers()}
    found |= {f"network {one.name}" for one in engine.networks()}
    found |= {f"volume {name}" for name in engine.volumes()}
    found |= {f"lease of {owner}" for owner in Leases().owners()}
    if labs_dir().is_dir():
        found |= {f"folder {path.name}" for path in labs_dir().iterdir()}
    for one in psutil.process_iter(["name", "status"]):
        if one.info["name"] in _PROGRAMS and one.info["status"] != psutil.STATUS_ZOMBIE:
            found.add(f"program {one.info['name']} {one.pid}")
    found |= {f"nft {line}" for line in _lines(engine, "nft", "list", "tables")}
    found |= {f"route {line}" for line in _lines(engine, "ip", "-4", "route")}
    found |= {f"link {line.split()[1]}" for line in _lines(engine, "ip", "-o", "link")}
    found |= {f"netns {line.split()[0]}" for line in _lines(engine, "ip", "netns", "list")}
    rules = _lines(engine, "iptables-save")
    return found | {f"iptables {line}" for line in rules if "172.30." in line}


def _lines(engine: Engine, *argv: str) -> list[str]:
    return engine.shell.run(argv).stdout.splitlines()


def _count(inventory: set[str]) -> str:
    kinds = sorted({thing.split()[0] for thing in inventory})
    return ", ".join(f"{sum(t.startswith(k) for t in inventory)} {k}s" for k in kinds)


if __name__ == "__main__":
    raise SystemExit(main())
