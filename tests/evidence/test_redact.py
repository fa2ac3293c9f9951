"""No key and no token leaves redact; certificates and whatever explains a failure do."""

from __future__ import annotations

import base64
import json
import time

import pytest
import yaml

from meshproof.evidence import redact

BODY = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" + "Q" * 12] * 5)
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----\n"
CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{BODY}\n-----END CERTIFICATE-----\n"
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl-Zm9v_YmFy"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SECRET = {
    "pem": (KEY, BODY[:40]),
    "pem in json": (json.dumps({"x": KEY}), BODY[:40]),
    "pem in yaml": (yaml.safe_dump({"x": {"y": KEY}}, default_style="|"), BODY[:40]),
    "pem without its end": (f"log\n{KEY[:120]}", BODY[:40]),
    "pem without its beginning": (f"{KEY[40:]}log\n", "QQQQ"),
    "base64 of a pem": (f"data: {b64(KEY)}", b64(KEY)[60:90]),
    "base64 of a pem, folded": ("k: " + base64.encodebytes(KEY.encode()).decode(), b64(KEY)[80:99]),
    "base64 of a pem, after a path": (f"a/b/{b64(KEY)}", b64(KEY)[60:90]),
    "base64 of certificate and key": (b64(CERTIFICATE + KEY), b64(CERTIFICATE + KEY)[-60:-30]),
    "base64 of base64": (b64(b64(KEY)), b64(b64(KEY))[80:110]),
    "base64 of a kubeconfig": (b64(f"users:\n- user:\n    token: {JWT}\n"), "dXNlcnM6"),
    "jwt": (f"found {JWT}, expired", "eyJ"),
    "bearer": ("authorization: Bearer abcdef0123456789", "abcdef"),
    "basic": ('{"Authorization": "Basic dXNlcjpwYXNz"}', "dXNl"),
    "kubeconfig token": ("    token: short\n", "short"),
    "kubeconfig token in json": ('{"token":"short"}', "short"),
    "json in json": (json.dumps({"a": json.dumps({"token": "short"})}), "short"),
    "folded token": ("token: >-\n  c2hvcnQ\nnext: 1\n", "c2hvcnQ"),
    "client key": (f"    client-key-data: {b64(KEY)}\n", b64(KEY)[:20]),
    "password in a url": ("https://me:hunter2@example.org/", "hunter2"),
    "inline bytes": ('"private_key": {\n "inline_bytes": "aHVudGVyMg=="\n}', "aHVudGVy"),
    "inline string": ('{"private_key": {"inline_string": "hunter2"}}', "hunter2"),
    "session ticket": ('{"keys": [{"inlineBytes": "aHVudGVyMg=="}]}', "aHVudGVy"),
}


@pytest.mark.parametrize("case", SECRET)
def test_secrets_go_and_redacting_again_changes_nothing(case: str) -> None:
    text, secret = SECRET[case]
    assert secret in text
    clean = redact(text)
    assert secret not in clean
    assert "[redacted]" in clean
    assert redact(clean) == clean


@pytest.mark.parametrize(
    "text",
    [
        CERTIFICATE,
        f'"certificate_chain": {{"inline_bytes": "{b64(CERTIFICATE)}"}}',
        '"private_key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}',
        "certificate-authority-data: " + b64(CERTIFICATE),
        "privateKey: /etc/certs/key.pem",
        'token: ""',
        "error: bad token: expired",
        "cluster.xds-grpc.token: 17",
        '{"token_bucket": {"max_tokens": 10}, "inline_string": "RBAC: access denied"}',
        "outbound|15443||helloworld.sample.svc.cluster.local::172.30.2.200:15443::health_flags",
        "spiffe://cluster.local/ns/sample/sa/sleep",
    ],
)
def test_what_explains_a_failure_stays(text: str) -> None:
    assert redact(text) == text


def test_json_and_yaml_stay_readable() -> None:
    dump = {
        "secret": {
            "private_key": {"inline_bytes": b64(KEY)},
            "token": "a\"b'c",
            "n": [KEY.strip(), JWT],
        },
        "roots": {"inline_bytes": b64(CERTIFICATE)},
    }
    for text in (json.dumps(dump), json.dumps(dump, indent=1)):
        clean = json.loads(redact(text))
        assert clean["secret"] == {
            "private_key": {"inline_bytes": "[redacted]"},
            "token": "[redacted]",
            "n": ["[redacted]", "[redacted]"],
        }
        assert clean["roots"] == dump["roots"]
    kubeconfig = {"users": [{"user": {"token": "abc", "client-key-data": b64(KEY)}}]}
    user = yaml.safe_load(redact(yaml.safe_dump(kubeconfig)))["users"][0]["user"]
    assert user == {"token": "[redacted]", "client-key-data": "[redacted]"}


@pytest.mark.parametrize(
    "piece", ["a" * 60 + "\n", "cluster.outbound_80.upstream_rq: 0\n", "-" * 7]
)
def test_large_texts_take_seconds_at_most(piece: str) -> None:
    text = piece * (1_000_000 // len(piece)) + b64(CERTIFICATE) * 50
    begin = time.monotonic()
    redact(text)
    assert time.monotonic() - begin < 5
