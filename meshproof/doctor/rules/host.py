"""Judges the host's settings: cgroups, /lib/modules, inotify limits and the clock."""

from __future__ import annotations

from datetime import timedelta

from meshproof.doctor import fixes
from meshproof.doctor.facts import Facts
from meshproof.doctor.findings import Finding, Level

# What kubelet refuses to start without (kubernetes.io, "Container runtimes", cgroup drivers).
_CONTROLLERS = frozenset({"cpu", "cpuset", "memory", "pids"})
# Files from another time zone or an image may lie a little ahead.
_CLOCK_SLACK = timedelta(days=1)
# Certificates are made with the time now; minutes of difference are already a wrong clock.
_HARDWARE_SLACK = timedelta(minutes=5)


def judge_host(facts: Facts) -> list[Finding]:
    """The settings of the host that kind's nodes depend on."""
    return [_cgroups(facts), _lib_modules(facts), _inotify(facts), _time(facts)]


def _cgroups(facts: Facts) -> Finding:
    mode = facts.cgroups.mode
    if mode == "none":
        return Finding(
            "cgroups",
            Level.FAIL,
            "no cgroup hierarchy is mounted at /sys/fs/cgroup",
            "mount cgroup2 there, or run meshproof on a host with systemd",
        )
    missing = sorted(_CONTROLLERS - facts.cgroups.controllers)
    if missing:
        return Finding(
            "cgroups",
            Level.FAIL,
            f"cgroup {mode} without the controllers {', '.join(missing)}, which kubelet needs",
            "switch them on: in the kernel's command line (cgroup_enable=…), or, in a container, "
            "by delegating them to it",
        )
    if mode == "v2":
        return Finding("cgroups", Level.OK, "v2")
    if facts.published:
        return Finding(
            "cgroups",
            Level.WARN,
            f"{mode}: a published node image whose systemd is newer than 255 will not start",
            "build the node image here, or boot with systemd.unified_cgroup_hierarchy=1",
        )
    return Finding(
        "cgroups",
        Level.OK,
        f"{mode}, which the lab's node image (systemd 252, kubelet failCgroupV1: false) accepts",
    )


def _lib_modules(facts: Facts) -> Finding:
    if facts.lib_modules:
        return Finding("/lib/modules", Level.OK, "there")
    return Finding(
        "/lib/modules",
        Level.FAIL,
        "/lib/modules does not exist, which kind mounts into its nodes",
        "mkdir -p /lib/modules",
        fixes.lib_modules(facts),
    )


def _inotify(facts: Facts) -> Finding:
    instances, watches = facts.inotify_instances, facts.inotify_watches
    if instances is None or watches is None:
        return Finding(
            "inotify",
            Level.WARN,
            "the limits cannot be read below /proc/sys/fs/inotify",
            "see that at least 512 instances and 262144 watches a user are allowed",
        )
    shown = f"{instances} instances and {watches} watches a user"
    low = fixes.low_inotify(facts)
    if not low:
        return Finding("inotify", Level.OK, shown)
    settings = " ".join(f"{name}={value}" for name, value in low.items())
    return Finding(
        "inotify",
        Level.WARN,
        f"{shown}: with several clusters, pods may fail with 'too many open files'",
        f"sysctl -w {settings}",
        fixes.inotify(facts),
    )


def _time(facts: Facts) -> Finding:
    clock = facts.clock
    now = f"{clock.now:%Y-%m-%d %H:%M} UTC"
    remedy = "set the clock, for example with 'timedatectl set-ntp true' or 'date -u -s'"
    if clock.now < clock.own_files - _CLOCK_SLACK:
        return Finding(
            "time",
            Level.FAIL,
            f"{now} is before meshproof's own files ({clock.own_files:%Y-%m-%d}): "
            "certificates would not be valid",
            remedy,
        )
    if clock.hardware is None:
        return Finding("time", Level.OK, f"{now}; no hardware clock to compare it with")
    apart = abs(clock.now - clock.hardware)
    if apart > _HARDWARE_SLACK and not _looks_like_local_time(apart):
        return Finding(
            "time",
            Level.WARN,
            f"{now}, but the hardware clock says {clock.hardware:%Y-%m-%d %H:%M}",
            remedy,
        )
    return Finding("time", Level.OK, f"{now}, as the hardware clock says")


def _looks_like_local_time(apart: timedelta) -> bool:
    """A hardware clock in local time is off by quarters of an hour, up to 14 hours."""
    beside = apart % timedelta(minutes=15)
    near = min(beside, timedelta(minutes=15) - beside) < timedelta(minutes=1)
    return near and apart < timedelta(hours=14, minutes=1)
