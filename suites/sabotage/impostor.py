"""A server that is not the workload it says it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.kube.workload import Workload
from meshproof.mesh.credentials import Credential
from meshproof.traffic.settle import require
from meshproof.traffic.tls_question import ask

# The files are gone once the server has read them; it ends by itself if nobody ends it.
_SERVE = """
set -e; folder=$(mktemp -d); cat > "$folder/all"; cd "$folder"
setsid timeout 600 openssl s_server -accept "$1" -cert all -key all -cert_chain all -www \\
    >/dev/null 2>&1 </dev/null &
echo $! "$folder"
"""


@contextmanager
def serving_as(workload: Workload, port: int, credential: Credential) -> Iterator[None]:
    """A TLS server with this certificate listens in a workload inside the block."""
    started = workload.run_from_node(
        "bash", "-c", _SERVE, "serve", str(port), input=credential.chain + credential.key
    )
    pid, folder = started.stdout.split()
    where = f"a TLS server on port {port} of {workload}"
    try:
        require(
            lambda: _shown(workload, port),
            until=lambda shown: shown != "" and shown in credential.chain,
            what=where,
        )
        yield
    finally:
        workload.run_from_node(
            "bash", "-c", 'kill "$1"; rm -r "$2"', "end", pid, folder, check=False
        )
        require(
            lambda: _shown(workload, port),
            until=lambda shown: shown == "",
            what=f"the end of {where}",
        )


def _shown(workload: Workload, port: int) -> str:
    """The certificate that whoever listens there shows, in PEM; "" when nobody shows any."""
    chain = ask(workload, workload.address, port, "anything").chain
    return chain[0].public_bytes(Encoding.PEM).decode() if chain else ""
