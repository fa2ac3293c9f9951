"""A request's file: what is written is read again, and what is wrong with one is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.files import hand_on, read_request, request_data, request_from, request_text
from meshproof.model import RunRequest

WHOLE = RunRequest(
    topology=("bare",),
    topology_file=(Path("/a b.yaml"), Path("/ü.yaml")),
    mtls=("strict",),
    revision="",
    only="suites/lake/test_it.py::test_a[x]",
    checkout=Path("/tree"),
    keep=True,
    reports=Path("/reports"),
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    for request in (WHOLE, RunRequest(reports=Path("/reports"))):
        path = tmp_path / "request.json"
        path.write_text(request_text(request), encoding="utf-8")
        assert read_request(path) == request
        assert json.loads(request_text(request)) == request_data(request)


def test_what_is_handed_on_is_a_file_that_others_can_read_more_than_once() -> None:
    path = hand_on(WHOLE)
    assert read_request(path) == read_request(path) == WHOLE


def test_what_a_file_does_not_say_is_the_default_and_paths_begin_where_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "request.json"
    path.write_text('{"mtls": ["strict"], "topology_file": ["own.yaml"], "pool": null}')
    assert read_request(path) == RunRequest(
        mtls=("strict",), topology_file=(tmp_path / "own.yaml",), reports=tmp_path / "reports"
    )
    assert request_from({}) == RunRequest(reports=tmp_path / "reports")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON (line 1: Expecting value): write one such as {"),
        ('{\n"keep": true,\n}', "is not JSON (line 3: "),
        ("[]", "is no JSON object: write one such as {"),
        (b'{"only": "\xe9"}', "is not UTF-8: save the file as UTF-8."),
        ('{"a":' * 5000, "cannot be read, since it is nested too deeply"),
        ('{"workers": ' + "9" * 5000 + "}", "cannot be read, since "),
        ('{"keep": true, "keep": false}', "since the key 'keep' is there twice"),
        ('{"toplogy": []}', "has the key 'toplogy', which there is not: did you mean topology"),
        ('{"topology-file": []}', "has the key 'topology-file', which there is not: did you mean "),
        ('{"full": true}', "has the key 'full', which there is not: choose one of topology, "),
        ('{"mtls": "strict"}', "'mtls' is not a list of texts: write one such as [\"strict\"]."),
        ('{"istio": [1.31]}', "'istio' is not a list of texts"),
        ('{"keep": "yes"}', "'keep' is neither true nor false: write true or false."),
        ('{"workers": 2}', "'workers' is not a text: write it in quotes, as in \"…\"."),
        ('{"profile": null}', "'profile' is not a text"),
        ('{"mtls": ["off"]}', "request.json: there is no mTLS mode 'off': choose one of strict, "),
        ('{"checkout": ""}', "request.json: an Istio source tree is named by an empty word"),
    ],
)
def test_what_is_no_request(tmp_path: Path, text: str | bytes, said: str) -> None:
    path = tmp_path / "request.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as raised:
        read_request(path)
    assert said in str(raised.value) and str(path) in str(raised.value)


@pytest.mark.parametrize("name", ["none.json", ".", "/dev/zero"])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="request"):
        read_request(tmp_path / name)


def test_a_name_that_is_not_utf_8_is_refused_before_it_is_written() -> None:
    with pytest.raises(UsageError, match="is not UTF-8"):
        request_text(RunRequest(reports=Path("r\udce9")))
