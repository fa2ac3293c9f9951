"""Says why an engine could not pull or push, by its own words, which are those of registries
(https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes)."""

from __future__ import annotations

import re

from meshproof.errors import ArtifactError, CommandError

_AGAIN = "check the network, or choose '--artifacts built'"
_SAID: tuple[tuple[str, str, str], ...] = (
    (
        r"proxyconnect|proxy authentication required",
        "the proxy does not lead to the registry",
        "look at HTTPS_PROXY, and whether that proxy asks for a login",
    ),
    (
        r"toomanyrequests|too many requests|\b429\b",
        "the registry lets nobody here have more images for now",
        "try again in some hours, let the engine log in there ('{engine} login'), or let "
        "MESHPROOF_REGISTRY name a mirror",
    ),
    (
        r"unauthorized|authentication required|access denied|\bdenied:|\b40[13]\b",
        "the registry does not let us have it",
        "let the engine log in there ('{engine} login'), or see whether the name is right",
    ),
    (
        r"manifest unknown|name unknown|\bnot found\b|\b404\b",
        "there is no such image",
        "see whether there is such a version, and look at the names of hub and tag",
    ),
    (
        r"server gave http response to https client",
        "the registry speaks HTTP without TLS",
        "name it by a port that speaks TLS, or let the engine take it as it is, in its own "
        "configuration (insecure registries)",
    ),
    (
        r"x509|certificate",
        "the registry's certificate is signed by nobody whom the engine trusts",
        "give the engine your company's authority, in a folder of the registry's name below "
        "/etc/{folder}/certs.d",
    ),
    (
        r"digest did not match|does not match provided manifest digest|verification failed for "
        r"digest|does not match its digest|invalid checksum digest",
        "what came is not what its digest names",
        "try again, and see what stands between here and the registry: a proxy, or a mirror",
    ),
    (r"unexpected eof|short read", "the download broke off midway", "try again"),
    (r"timeout|timed out|not finished", "the registry does not answer", _AGAIN),
    (
        r"no such host|unreachable|connection refused",
        "the registry cannot be reached",
        _AGAIN,
    ),
)
"""What engines say, as patterns; what that means; and what to do."""


def explained(
    reference: str, engine: str, error: CommandError, *, doing: str = "pulled"
) -> ArtifactError:
    """One sentence for an image that was not ``doing``, and what to do."""
    said = f"{error.stderr}\n{error}".lower()
    folder = "docker" if engine == "docker" else "containers"
    for pattern, why, remedy in _SAID:
        if re.search(pattern, said):
            return ArtifactError(
                f"{reference} cannot be {doing}, since {why}",
                remedy.format(engine=engine, folder=folder),
            )
    return ArtifactError(f"{reference} cannot be {doing} ({error.cause})", _AGAIN)
