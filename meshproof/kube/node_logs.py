"""What containers have printed, as their node keeps it: read whole, and without an API server.

kubelet turns a log over at 10 MiB, packs the older parts, and keeps five of them in all
(https://kubernetes.io/docs/concepts/cluster-administration/logging/): whoever needs every line of a
container that prints much reads it again and again meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from meshproof.errors import EvidenceError
from meshproof.kube.cluster import Node, RunningCluster

# What was last written to before the moment holds nothing of what came after it. A part that is
# just being packed is also there as it was.
_FILES = """files=$(find $1 -type f ! -name '*.tmp' -newermt "@$2") || exit 1
[ -n "$files" ] || exit 0
"""
_READ = _FILES + "zcat -f $files"
# Lines begin with their time; that there is none of the kind is no failure.
_READ_SOME = (
    _FILES
    + """since=$3; shift 3
{ zcat -f $files || echo unread >&2; } | awk -v since="$since" '$1 >= since' | grep -F "$@"
[ $? -lt 2 ]
"""
)
_SLACK = 1.0
"""Seconds that a log's date may lag behind its content."""


def folder(namespace: str, pod: str, container: str) -> str:
    """Where a node keeps what a pod's container prints; ``pod`` may end in "*"."""
    return f"/var/log/pods/{namespace}_{pod}_*/{container}"


def printed_since(
    cluster: RunningCluster,
    node: Node,
    folders: Sequence[str],
    moment: float,
    containing: Sequence[str] = (),
) -> list[str]:
    """Lines that containers have printed since ``moment`` (seconds since the epoch), each with its
    time, the stream and "F", or "P" for a piece of one, in front; some from a moment before as
    well.

    ``folders``: of containers, as ``folder`` says; ``containing``: only lines that hold one of
    these words. Raises EvidenceError when a log cannot be read, LabError when the node is not
    there.
    """
    where, since = " ".join(folders), moment - _SLACK
    script, words = _READ, [where, f"{since:.3f}"]
    if containing:
        script = _READ_SOME
        stamp = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        words += [stamp, *(word for text in containing for word in ("-e", text))]
    found = cluster.on_node(node, "sh", "-c", script, "sh", *words, check=False)
    if found.returncode != 0:
        raise EvidenceError(f"{where} cannot be read ({found.stderr.strip()[-200:]})")
    return found.stdout.splitlines()


def on_stdout(lines: Iterable[str]) -> Iterator[str]:
    """What was printed on standard output, line by line; the runtime cuts long ones to pieces."""
    pieces: list[str] = []
    for line in lines:
        _, stream, whole, text = [*line.split(" ", 3), "", "", ""][:4]
        if stream != "stdout":
            continue
        pieces.append(text)
        if whole != "P":
            yield "".join(pieces)
            pieces.clear()


def stamped(line: str) -> tuple[float, str] | None:
    """The time of a whole line on standard output, in seconds since the epoch, and what it says;
    None for what is none."""
    stamp, stream, whole, text = [*line.split(" ", 3), "", "", ""][:4]
    if stream != "stdout" or whole != "F":
        return None
    try:
        # Python reads six digits of the nine that there are.
        return datetime.fromisoformat(stamp).timestamp(), text
    except ValueError:
        return None
