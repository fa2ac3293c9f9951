"""Gathers the facts about this machine: files are read while programs are tried side by side."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from meshproof.doctor import machine, probes
from meshproof.doctor.facts import Disk, EngineFacts, Facts, Kernel, Outcome, Trial
from meshproof.paths import store_dir
from meshproof.process import Shell

PUBLISHED = "published"
_SYS = Path("/proc/sys")
_UNPRIVILEGED = Trial(Outcome.NOT_TRIED, "only root can try this")


def gather(shell: Shell, engine: str | None, source: str | None) -> Facts:
    """Read and try all that is judged; takes about a second, changes nothing.

    Raises UsageError when there is no engine called ``engine``.
    """
    root = os.geteuid() == 0
    with ThreadPoolExecutor(max_workers=8) as pool:
        about_engine = pool.submit(probes.engine, shell, engine)
        go = pool.submit(probes.go_version, shell)
        pools = pool.submit(probes.pools, shell)
        kernel = _kernel(shell, pool) if root else _unprivileged_kernel()
        chosen = about_engine.result()
        return Facts(
            root=root,
            apt=machine.has_apt(),
            published=source == PUBLISHED,
            engine=chosen,
            limits=machine.limits(),
            cgroups=machine.cgroups(),
            kernel=kernel,
            clock=machine.clock(),
            tools=machine.tools(),
            memory=psutil.virtual_memory().available,
            cpus=len(os.sched_getaffinity(0)),
            disks=_disks(chosen),
            store_filled=machine.store_filled(),
            lib_modules=Path("/lib/modules").is_dir(),
            inotify_instances=machine.number(_SYS / "fs/inotify/max_user_instances"),
            inotify_watches=machine.number(_SYS / "fs/inotify/max_user_watches"),
            go=go.result(),
            venv=machine.venv_works(),
            containers_conf=machine.containers_conf(),
            pools=pools.result(),
        )


def _disks(engine: EngineFacts) -> tuple[Disk, ...]:
    fallback = Path("/var/lib/docker" if engine.is_docker else "/var/lib/containers/storage")
    return (
        machine.disk("store", store_dir()),
        machine.disk("engine", engine.storage or fallback),
    )


def _kernel(shell: Shell, pool: ThreadPoolExecutor) -> Kernel:
    tried = (probes.nft, probes.iptables, probes.links, probes.netem, probes.overlay)
    nft, iptables, links, netem, overlay = (pool.submit(probe, shell) for probe in tried)
    chains = pool.submit(probes.dropping_chains, shell)
    return Kernel(
        nft=nft.result(),
        iptables=iptables.result(),
        links=links.result(),
        netem=netem.result(),
        overlay=overlay.result(),
        bridge_netfilter=machine.switch(_SYS / "net/bridge/bridge-nf-call-iptables"),
        ip_forward=machine.switch(_SYS / "net/ipv4/ip_forward"),
        dropping_chains=chains.result(),
    )


def _unprivileged_kernel() -> Kernel:
    untried = _UNPRIVILEGED
    return Kernel(nft=untried, iptables=untried, links=untried, netem=untried, overlay=untried)
