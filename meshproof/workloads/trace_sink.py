"""A sink for traces: takes what proxies report in Zipkin's format, and keeps it to be read.

As the echo it is a pod that runs nothing but the pause image; the listener is started in its
network namespace with the node's own perl. It answers and keeps, and understands nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.operator_config import TRACES_NAMESPACE, TRACES_PORT, TRACES_SERVICE
from meshproof.process import side_by_side
from meshproof.wait import eventually
from meshproof.workloads.sample import Sample

# Requests come one after the other on a connection, their bodies in chunks or of a stated length.
_LISTENER = r"""
use IO::Socket::INET; use Fcntl; my ($port, $file) = @ARGV; $SIG{CHLD} = 'IGNORE';
my $socket = IO::Socket::INET->new(LocalPort => $port, Listen => 64, ReuseAddr => 1) or die;
while (my $peer = $socket->accept) {
  if (fork) { close $peer; next }
  while (defined(my $line = <$peer>)) {
    my ($length, $chunked, $body) = (0, 0, '');
    while (defined($line = <$peer>)) {
      $line =~ s/\r?\n//; last if $line eq '';
      $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
      $chunked = 1 if $line =~ /^transfer-encoding:.*chunked/i }
    read($peer, $body, $length) if $length;
    while ($chunked) {
      my $size = hex(<$peer> =~ s/\s+$//r); my $chunk = '';
      read($peer, $chunk, $size) if $size; $body .= $chunk; <$peer>; last unless $size }
    sysopen(my $out, $file, O_WRONLY | O_APPEND | O_CREAT); syswrite($out, "$body\n"); close $out;
    print $peer "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"; $peer->flush }
  exit }
"""
# It ends by itself if nobody ends it.
_START = """
file=$(mktemp); echo > "$file"
setsid timeout 600 perl -e "$1" "$2" "$file" >/dev/null 2>&1 </dev/null &
echo $! "$file"
"""


@dataclass(frozen=True)
class Span:
    """One proxy's part in a call. ``node``: the proxy's own id, such as
    "sidecar~10.10.0.7~sleep-5b8.sample~sample.svc.cluster.local" or "router~…"."""

    trace: str
    node: str
    tags: dict[str, str] = field(hash=False, compare=False)


@dataclass(frozen=True)
class TraceSinks:
    """One sink in each cluster with workloads."""

    kept: tuple[tuple[Workload, str], ...]

    def spans(self) -> list[Span]:
        """All that was reported so far, in whichever cluster."""
        texts = [sink.run_from_node("cat", file).stdout for sink, file in self.kept]
        # What comes after the last line's end may be in the middle of being written.
        lines = [line for text in texts for line in text.split("\n")[:-1] if line.startswith("[")]
        return [_span(one) for line in lines for one in json.loads(line)]


@contextmanager
def trace_sinks(sample: Sample) -> Iterator[TraceSinks]:
    """Sinks that listen inside the block, where the mesh's tracing provider expects them.

    Raises LabError or WaitTimeoutError when they do not come up.
    """
    image = sample.mesh.bundle.images["pause"]
    clusters = [sample.mesh.cluster(name) for name in sample.clusters]
    with ExitStack() as stack:
        for cluster in clusters:
            stack.enter_context(applied(cluster, _objects(image)))
        shell = sample.mesh.shell
        side_by_side(
            shell,
            lambda one: await_rollout(one, TRACES_NAMESPACE, {TRACES_SERVICE}, shell),
            clusters,
        )
        kept = []
        for cluster in clusters:
            sink = find_workload(cluster, TRACES_SERVICE, TRACES_NAMESPACE)
            kept.append((sink, stack.enter_context(_listening(sink))))
        yield TraceSinks(tuple(kept))


@contextmanager
def _listening(sink: Workload) -> Iterator[str]:
    """The listener runs inside the block; yields the file on the node that it writes."""
    port = str(TRACES_PORT)
    pid, file = sink.run_from_node("bash", "-c", _START, "start", _LISTENER, port).stdout.split()
    try:
        eventually(
            lambda: f":{port}" in sink.run_from_node("ss", "-Hlnt").stdout,
            what=f"a listener for traces in {sink}",
            within=10,
        )
        yield file
    finally:
        # On the node itself: the pod may be gone, and its network namespace with it.
        end = ("bash", "-c", 'kill -- "-$1"; rm -f "$2"', "end", pid, file)
        sink.running.on_node(sink.node, *end, check=False)


def _span(reported: dict[str, Any]) -> Span:
    tags = reported.get("tags", {})
    return Span(reported["traceId"], tags.get("node_id", ""), tags)


def _objects(image: str) -> list[Object]:
    labels = {"app": TRACES_SERVICE}
    metadata = {"name": TRACES_SERVICE, "namespace": TRACES_NAMESPACE}
    container = {"name": TRACES_SERVICE, "image": image, "imagePullPolicy": "IfNotPresent"}
    pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    service = {
        "selector": labels,
        "ports": [{"name": "http", "port": TRACES_PORT, "targetPort": TRACES_PORT}],
    }
    workload = {"selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": workload},
    ]
