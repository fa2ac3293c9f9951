"""Judges the kernel: what the router, the networks and the nodes need of it."""

from __future__ import annotations

from meshproof.doctor.facts import Facts, Outcome, Trial
from meshproof.doctor.findings import Finding, Level

_OTHER_KERNEL = "boot a kernel that has it, such as your distribution's own"


def judge_kernel(facts: Facts) -> list[Finding]:
    """The features tried, then what is only worth knowing."""
    kernel = facts.kernel
    return [
        _needed(
            "kernel: nft",
            kernel.nft,
            "connection tracking, masquerading, payload matching and dynamic sets work",
            f"install nftables 1.0.2 or newer, or {_OTHER_KERNEL} "
            "(NF_TABLES, NF_CONNTRACK, NF_CONNTRACK_MARK, NFT_CT, NFT_MASQ, NFT_NUMGEN)",
        ),
        _needed(
            "kernel: iptables",
            kernel.iptables,
            "the rules that engines make networks with are taken",
            f"{_OTHER_KERNEL} (NFT_COMPAT, NETFILTER_XT_MATCH_COMMENT, "
            "NETFILTER_XT_TARGET_MASQUERADE)",
        ),
        _needed(
            "kernel: links",
            kernel.links,
            "network name spaces, bridges and veth pairs can be made",
            f"{_OTHER_KERNEL} (BRIDGE, VETH, NET_NS)",
        ),
        _needed(
            "kernel: overlayfs",
            kernel.overlay,
            "overlayfs can be mounted",
            f"{_OTHER_KERNEL} (OVERLAY_FS)",
        ),
        _netem(kernel.netem),
        _forwarding(facts),
        _firewall(facts),
    ]


def _needed(name: str, trial: Trial, works: str, remedy: str) -> Finding:
    match trial.outcome:
        case Outcome.WORKS:
            return Finding(name, Level.OK, works)
        case Outcome.REFUSED:
            return Finding(name, Level.FAIL, f"refused: {trial.said}", remedy)
        case Outcome.NOT_TRIED:
            return _not_tried(name, trial)


def _not_tried(name: str, trial: Trial) -> Finding:
    return Finding(
        name, Level.WARN, f"not tried: {trial.said}", "mend that, then run the doctor again"
    )


def _netem(trial: Trial) -> Finding:
    name = "kernel: netem"
    match trial.outcome:
        case Outcome.WORKS:
            return Finding(name, Level.OK, "delay faults are available")
        case Outcome.REFUSED:
            return Finding(
                name,
                Level.WARN,
                "delay faults are not available; loss by nft is",
                f"{_OTHER_KERNEL} (NET_SCH_NETEM), where delay faults are wanted",
            )
        case Outcome.NOT_TRIED:
            return _not_tried(name, trial)


def _forwarding(facts: Facts) -> Finding:
    """Only worth knowing: engines switch forwarding on when they make their first network."""
    kernel = facts.kernel
    shown = {True: "on", False: "off", None: "unknown"}
    bridged = {
        True: "bridged frames pass the host's rules, which the lab allows for",
        False: "bridged frames do not pass the host's rules",
        None: "br_netfilter is not loaded",
    }
    return Finding(
        "forwarding",
        Level.OK,
        f"ip_forward is {shown[kernel.ip_forward]} (the engine switches it on when needed); "
        f"{bridged[kernel.bridge_netfilter]}",
    )


def _firewall(facts: Facts) -> Finding:
    """Only worth knowing: docker itself sets the forward policy to drop."""
    chains = facts.kernel.dropping_chains
    if not chains:
        return Finding("firewall", Level.OK, "no nft chain of the host drops by default")
    return Finding(
        "firewall",
        Level.OK,
        f"these chains of the host drop by default: {', '.join(chains)}; look there first when "
        "clusters cannot be reached",
    )
