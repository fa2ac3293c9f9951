"""What is put on a machine outside Kubernetes, and taken off it again: Istio's own package, the
files by which it joins, and its one unit.

Where each file belongs: https://istio.io/latest/docs/setup/install/virtual-machine/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from meshproof.artifacts import Package
from meshproof.errors import LabError
from meshproof.lab.machine import RunningMachine
from meshproof.telling import telling_line

UNIT = "istio"
"""Istio's one unit on a machine."""
SERVER_UNIT, SERVER_SETTINGS = "helloworld", "/etc/default/helloworld"
"""The unit of the machine's own service, and where its environment is said."""
LOG, ERRORS = "/var/log/istio/istio.log", "/var/log/istio/istio.err.log"
"""Where the unit's proxy and agent write."""
TOKEN = "/var/run/secrets/tokens/istio-token"  # noqa: S105 (where it lies)
CERTIFICATES = "/etc/certs"
"""Where a machine has the root that it trusts, and then its own certificate as well."""
CLUSTER_ENV = "/var/lib/istio/envoy/cluster.env"
_USER = "istio-proxy"
_PLACES = {
    "root-cert.pem": f"{CERTIFICATES}/root-cert.pem",
    "istio-token": TOKEN,
    "cluster.env": CLUSTER_ENV,
    "mesh.yaml": "/etc/istio/config/mesh",
}
"""Where each file that istioctl writes belongs; "hosts" is added to the machine's own."""
_FOLDERS = "/var/lib/istio /etc/certs /etc/istio /var/log/istio"
# The agent makes its sockets there as well. It may be the container engine's own folder.
_SECRETS = "/var/run/secrets"
_OWNED = f"{_FOLDERS} {_SECRETS}"
_MAKE_USER = f"""getent group {_USER} >/dev/null || groupadd --system --gid 1337 {_USER}
id {_USER} >/dev/null 2>&1 || \\
  useradd --system --uid 1337 --gid 1337 --home-dir /var/lib/istio --no-create-home {_USER}
"""
_REMOVE = rf"""systemctl disable --now {UNIT} {SERVER_UNIT} >/dev/null 2>&1 || true
rm -f {SERVER_SETTINGS}
pkill -KILL -u {_USER} || true
rm -rf {_FOLDERS} {_SECRETS}/*
rm -f /usr/local/bin/pilot-agent /usr/local/bin/envoy /usr/local/bin/istio-start.sh
rm -f /lib/systemd/system/istio.service
grep -v ' istiod' /etc/hosts > /tmp/hosts || true
cat /tmp/hosts > /etc/hosts
rm -f /tmp/hosts
systemctl daemon-reload
systemctl reset-failed
"""
# What is there of Istio, a line each: programs that run, rules, files.
_LOOK = rf"""pgrep -l -x 'envoy|pilot-agent|helloworld' || true
iptables-save | grep ISTIO | head -n 1 || true
ls -d {_FOLDERS} {_SECRETS}/tokens {SERVER_SETTINGS} 2>/dev/null || true
ls -d /usr/local/bin/pilot-agent /usr/local/bin/envoy 2>/dev/null || true
grep ' istiod' /etc/hosts || true
"""


def install_package(machine: RunningMachine, package: Package) -> None:
    """Put Istio's package on a machine, as its own does, without starting anything. Raises
    CommandError."""
    folders = " ".join(sorted({path.rpartition("/")[0] for path in package.files}))
    machine.script(f"{_MAKE_USER}mkdir -p {folders} {_OWNED} /etc/istio/proxy\n")
    for path, source in package.files.items():
        machine.put(source, path, "0755" if path.startswith("/usr/local/bin/") else "0644")
    machine.script("systemctl daemon-reload\n")


def place_files(machine: RunningMachine, files: Mapping[str, str]) -> None:
    """Put istioctl's files where they belong on a machine, and nothing of an earlier membership
    beside them: a certificate that is there would be shown in place of the token. Raises
    CommandError."""
    machine.script(f"rm -rf {CERTIFICATES}/*\n")
    for name, path in _PLACES.items():
        machine.write(path, files[name], "0600" if path == TOKEN else "0644")
    hosts = files["hosts"]
    add = "grep -v ' istiod' /etc/hosts > /tmp/hosts || true\ncat /tmp/hosts - > /etc/hosts"
    machine.run("sh", "-c", add, input=hosts)
    machine.script(f"rm -f /tmp/hosts\nchown -R {_USER}:{_USER} {_OWNED}\n")


def said_last(machine: RunningMachine) -> str:
    """The last telling line of a machine's agent or unit; "" when it says nothing."""
    asked = f"tail -n 40 {ERRORS} {LOG} 2>/dev/null; journalctl -u {UNIT} -n 20 -o cat --no-pager"
    said = machine.run("sh", "-c", asked, check=False).stdout
    lines = [one for one in said.splitlines() if "error" in one or "fail" in one or "warn" in one]
    return telling_line("\n".join(lines[-1:])) or telling_line(said)


def clear_machine(machine: RunningMachine) -> None:
    """Remove Istio from a machine, whatever is there of it, and the service that ran there, and
    verify that nothing is left. Raises LabError that names what is, CommandError."""
    machine.script(_REMOVE)
    if left := left_on(machine):
        raise LabError(f"on {machine} there is still {', '.join(left)}")


def left_on(machine: RunningMachine) -> list[str]:
    """What is there of Istio and of the service on a machine: programs that run, rules, files.
    Raises CommandError."""
    return machine.script(_LOOK).splitlines()


@contextmanager
def stopped(machine: RunningMachine) -> Iterator[None]:
    """Istio's unit is stopped on a machine inside the block, and started again afterwards. Raises
    CommandError."""
    machine.script(f"systemctl stop {UNIT}\n")
    try:
        yield
    finally:
        machine.script(f"systemctl start {UNIT}\n")
