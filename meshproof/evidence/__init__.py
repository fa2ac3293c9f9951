"""What explains a failure, collected most telling first, without keys and tokens."""

from meshproof.evidence.collect import collect
from meshproof.evidence.redact import redact

__all__ = ["collect", "redact"]
