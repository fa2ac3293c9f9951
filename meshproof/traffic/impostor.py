"""A server that is not the workload it says it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.kube.workload import PodWorkload
from meshproof.mesh.credentials import Credential
from meshproof.traffic.settle import require
from meshproof.traffic.tls_question import ask


@contextmanager
def serving_as(workload: PodWorkload, port: int, credential: Credential) -> Iterator[None]:
    """A TLS server with this certificate listens in a workload inside the block."""
    where = f"a TLS server on port {port} of {workload}"
    shown = json.dumps({"chain": credential.chain, "key": credential.key})
    try:
        with workload.start("probe", "impersonate", str(port)) as serving:
            serving.say(f"{shown}\n")
            require(
                lambda: _shown(workload, port),
                until=lambda shown: shown != "" and shown in credential.chain,
                what=where,
            )
            yield
            serving.say("\n")
    finally:
        # It ends where its input does.
        require(
            lambda: _shown(workload, port),
            until=lambda shown: shown == "",
            what=f"the end of {where}",
        )


def _shown(workload: PodWorkload, port: int) -> str:
    """The certificate that whoever listens there shows, in PEM; "" when nobody shows any."""
    chain = ask(workload, workload.address, port, "anything").chain
    return chain[0].public_bytes(Encoding.PEM).decode() if chain else ""
