"""Breaks a kept lab in every way that there is, one after the other, and sees each healed.

Not a unit test: `make faults LAB=…` runs it on a kept lab of a topology with an east that serves
itself, a west across networks, and v2 in west. Each fault is told to be in force by
`meshproof fault` itself, which looks where it acts, and to be healed after Ctrl-C; in the end calls
are judged. Printed are the seconds until it was in force, and until it was healed.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time

from meshproof.doctor.facts import Outcome
from meshproof.doctor.probes import netem
from meshproof.faults.catalogue import FAULTS
from meshproof.process import Shell

WORDS = {
    "partition": "east west",
    "one-way-partition": "west east gateway",
    "loss": "east west 20",
    "thin-path": "west 500",
    "delay": "west 50",
    "reset": "",
    "no-istiod": "east",
    "slow-istiod": "east 200m",
    "istiod-restart": "east",
    "istiod-kill": "east",
    "no-api-server": "west",
    "account-refused": "west",
    "no-gateway": "west",
    "gateway-kill": "west",
    "gateway-pod-kill": "west",
    "gateway-moved": "west",
    "second-gateway": "west",
    "no-dns": "west",
    "no-load-balancer-names": "west",
    "no-remote-secret": "east west",
    "secret-rewritten": "east west",
    "secret-rotated": "east west",
    "secret-expires": "east west 600",
    "token-revoked": "west",
    "pods-kill": "west v2",
    "pods-unready": "west v2",
    "pods-failing": "v2",
    "pods-slow": "v2 1",
    "no-nodes": "west",
}
"""What each fault is given."""
_IN_FORCE = "In force on lab"
_LONGEST = 600.0


def main() -> int:
    """Break the lab that the first argument names by the faults that the others name, by default
    by all; exit code 1 when one did not come into force, or calls are not as before."""
    lab, *asked = sys.argv[1:]
    say, failed = sys.stdout.write, list[str]()
    can_delay = netem(Shell()).outcome is Outcome.WORKS
    for name in asked or WORDS:
        if FAULTS[name].netem and not can_delay:
            say(f"{name:24} not on this machine: its kernel has no netem\n")
            continue
        told = _broken([lab, name, *WORDS[name].split()], once=FAULTS[name].once)
        failed += [] if told.startswith("in force") else [name]
        say(f"{name:24} {told}\n")
        sys.stdout.flush()
    judging = ["verify", "--reuse", lab, "--behaviour", "distribution/*"]
    as_before = subprocess.run([_program(), *judging], check=False).returncode == 0
    say(f"{len(failed)} were not in force, or not healed: {', '.join(failed) or 'none'}\n")
    return 0 if as_before and not failed else 1


def _broken(words: list[str], *, once: bool) -> str:
    """Break the lab until it is said to be broken, then heal it; returns how that went."""
    begin = time.monotonic()
    running = subprocess.Popen(
        [_program(), "fault", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell starts what it puts in the background with SIGINT ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if line.startswith(_IN_FORCE):
            break
    took = time.monotonic() - begin
    if not once and _IN_FORCE in said:
        running.send_signal(signal.SIGINT)
    rest, _ = running.communicate(timeout=_LONGEST)
    if running.returncode != 0 or not (once or _IN_FORCE in said):
        return f"FAILED with exit code {running.returncode}: {(said + rest).strip()[-400:]}"
    if once:
        return f"in force, and over, after {took:.1f} s"
    return f"in force after {took:.1f} s, healed {time.monotonic() - begin - took:.1f} s later"


def _program() -> str:
    return shutil.which("meshproof") or "meshproof"


if __name__ == "__main__":
    raise SystemExit(main())
