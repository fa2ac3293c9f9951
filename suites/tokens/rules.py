"""Tokens (JWT, RFC 7519), whose key the test alone has, and the rules that servers judge them by.

Source of the rules: https://istio.io/latest/docs/reference/config/security/jwt/.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from meshproof.kube.objects import Object
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT

ISSUER, SUBJECT = "issuer.meshproof.test", "tester"
TOLD = "x-token-payload"
"""The header in which a server's proxy passes on the payload of a token that it has taken."""
REQUIRED = "require-token"
_KEY_ID = "meshproof"
_HOUR = 3600
_BYTES = 32
_WORKLOAD = {"selector": {"matchLabels": {"app": HELLOWORLD}}}


@dataclass(frozen=True)
class Signer:
    """Whoever issues tokens: a new key on P-256."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    @property
    def keys(self) -> str:
        """The public key as a set of one (JWKS, RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        point = {name: _encoded(_octets(getattr(numbers, name))) for name in ("x", "y")}
        one = {"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": _KEY_ID, **point}
        return json.dumps({"keys": [one]})

    def token(self, *, issuer: str = ISSUER, subject: str = SUBJECT, seconds: float = _HOUR) -> str:
        """A token that is good for so many ``seconds`` from now; negative: no longer."""
        now = int(time.time())
        header = {"alg": "ES256", "typ": "JWT", "kid": _KEY_ID}
        begun = min(now, int(now + seconds)) - 60
        claims = {"iss": issuer, "sub": subject, "iat": begun, "exp": int(now + seconds)}
        parts = [_encoded(json.dumps(part).encode()) for part in (header, claims)]
        signed = ".".join(parts)
        signature = self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        numbers = (_octets(number) for number in decode_dss_signature(signature))
        return f"{signed}.{_encoded(b''.join(numbers))}"


def taking_tokens_of(signer: Signer) -> Object:
    """helloworld takes tokens of the signer, and none of anybody else's; who has none is not
    asked for one."""
    rule = {"issuer": ISSUER, "jwks": signer.keys, "outputPayloadToHeader": TOLD}
    return _object("RequestAuthentication", "take-tokens", {**_WORKLOAD, "jwtRules": [rule]})


def requiring_a_token() -> Object:
    """helloworld denies whoever has no token of the usual subject."""
    source = {"notRequestPrincipals": [f"{ISSUER}/{SUBJECT}"]}
    # At a port for TCP, Istio passes over tokens, and would deny whoever comes.
    rule = {"from": [{"source": source}], "to": [{"operation": {"ports": [str(PORT)]}}]}
    spec = {**_WORKLOAD, "action": "DENY", "rules": [rule]}
    return _object("AuthorizationPolicy", REQUIRED, spec)


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(number: int) -> bytes:
    return number.to_bytes(_BYTES, "big")


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }
