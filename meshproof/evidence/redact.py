"""Takes keys and tokens out of text. Pure text in, pure text out.

Certificates stay: they are public, and which root a proxy trusts explains many failures.
"""

from __future__ import annotations

import base64
import re

GONE = "[redacted]"
_ENVOYS_OWN = base64.b64encode(GONE.encode()).decode()

_BEGIN = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
_END = r"-----END [A-Z0-9 ]*PRIVATE KEY-----"
_PEM = re.compile(rf"{_BEGIN}[\s\S]{{0,20000}}?{_END}")
# A log's tail may hold half a key: its beginning, or (by lines) its end.
_PEM_CUT_OFF = re.compile(rf"{_BEGIN}(?:[A-Za-z0-9+/=\s\\:,]|-(?!----))*")
_PEM_END = re.compile(_END)
_PEM_LINE = re.compile(r"[ \t]*[A-Za-z0-9+/=]{1,80}[ \t]*")

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){1,4}")
_AUTHORIZATION = re.compile(
    r"(?i)\b(authorization\\?[\"']?[ \t]*[:=][ \t]*\\?[\"']?"
    r"(?:basic|bearer|digest)[ \t]+)[^\s\"'\\,]+"
)
_BEARER = re.compile(r"(?i)\b(bearer[ \t:=]+)[A-Za-z0-9._~+/=-]{16,}")
_PASSWORD_IN_URL = re.compile(r"(://[^/\s:@\"']{1,200}:)[^/\s@\"']{1,200}(?=@)")

_NAMES = (
    r"(?:token|password|passwd|client[_-]?secret|client[_-]key[_-]data|private_?key|api[_-]?key)"
)
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|\\+\"[^\"\\]*\\+\""
# In prose ("bad token: expired") only what is as long as a secret counts as one; at the
# beginning of a line of YAML everything does.
_NAMED = re.compile(
    rf"(?i)(?<![A-Za-z0-9])({_NAMES}\\*[\"']?[ \t]*[:=][ \t]*)"
    rf"({_QUOTED}|[^\s\"',{{}}\[\]\\]{{16,}})"
)
_NAMED_LINE = re.compile(
    rf"(?im)^([ \t]*(?:-[ \t]+){{0,3}}[\w-]{{0,40}}{_NAMES}:[ \t]+)"
    r"([|>][-+]?[ \t]*\n[ \t]+\S+|[^\s{\[|>][^\n]*)"
)
# A file's path, or nothing at all: no secret, and telling.
_INNOCENT = re.compile(r"\\*[\"']?/(?:etc|run|var)/[\w./-]+|\"\"$|''$|null$|~$")

_INLINE_BYTES = re.compile(r"(\"?inline_?[bB]ytes\"?:\s*)(\"[^\"]*\"|[^\s\"{}]+)")
_SECRET_OBJECT = re.compile(r"\"(?:private_?[kK]ey|password|secret)\":\s*\{[^{}]*\}")
_INLINE_STRING = re.compile(r"(\"inline_?[sS]tring\":\s*)\"(?:[^\"\\]|\\.)*\"")

_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}(?:(?:\\n|\n[ \t]*)[A-Za-z0-9+/]{4,})*={0,2}")
_NOT_BASE64 = re.compile(r"\\n|\s|=")


def redact(text: str) -> str:
    """``text`` without private keys, tokens and passwords, also where base64 hides them.

    JSON stays JSON and YAML stays YAML; redacting twice changes nothing more.
    """
    text = _PEM.sub(GONE, text)
    text = _PEM_CUT_OFF.sub(GONE, text)
    text = _without_ends_of_keys(text)
    text = _JWT.sub(GONE, text)
    text = _AUTHORIZATION.sub(rf"\1{GONE}", text)
    text = _BEARER.sub(rf"\1{GONE}", text)
    text = _PASSWORD_IN_URL.sub(rf"\1{GONE}", text)
    text = _INLINE_BYTES.sub(_inline_bytes, text)
    text = _SECRET_OBJECT.sub(lambda found: _INLINE_STRING.sub(rf'\1"{GONE}"', found[0]), text)
    text = _NAMED.sub(_named, text)
    text = _NAMED_LINE.sub(_named, text)
    return _BASE64.sub(_hidden, text)


def _without_ends_of_keys(text: str) -> str:
    """Take out the lines of a key whose beginning is missing, up to its end marker."""
    if not _PEM_END.search(text):
        return text
    kept: list[str] = []
    for line in text.split("\n"):
        if _PEM_END.search(line):
            while kept and _PEM_LINE.fullmatch(kept[-1]):
                kept.pop()
            line = GONE
        kept.append(line)
    return "\n".join(kept)


def _named(found: re.Match[str]) -> str:
    """A value whose name says that it is secret; not so a file's path."""
    name, value = found[1], found[2]
    if _INNOCENT.match(value):
        return found[0]
    quote = re.match(r"\\*[\"']", value)
    return f"{name}{quote[0]}{GONE}{quote[0]}" if quote else f'{name}"{GONE}"'


def _inline_bytes(found: re.Match[str]) -> str:
    """Bytes in Envoy's configuration stay when they are a certificate or Envoy's own mark."""
    value = found[2].strip('"')
    if value in (_ENVOYS_OWN, GONE) or b"-----BEGIN CERTIFICATE" in _decoded(value):
        return found[0]
    return f'{found[1]}"{GONE}"'


def _hidden(found: re.Match[str]) -> str:
    """Base64 goes when what it says would be redacted, wherever in the run it begins."""
    run = _NOT_BASE64.sub("", found[0])
    for begin in range(4):
        said = _decoded(run[begin:]).decode("latin-1")
        if redact(said) != said:
            return GONE
    return found[0]


def _decoded(value: str) -> bytes:
    """The bytes that base64 stands for, as far as it goes; empty when it is none."""
    value = value.rstrip("=")
    try:
        return base64.b64decode(value[: len(value) // 4 * 4] + _padding(value), validate=True)
    except ValueError:
        return b""


def _padding(value: str) -> str:
    rest = value[len(value) // 4 * 4 :]
    return rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""
