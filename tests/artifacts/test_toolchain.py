"""Go builds the same whatever the user keeps in variables and in go's own file of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts.store import Store
from meshproof.artifacts.toolchain import find_toolchain
from meshproof.events import Recorder
from meshproof.process import Shell

# Says its version in the environment it was given, and what `go env -json` would read.
_GO = """#!/bin/sh
case "$1" in
env) echo '{"GOPROXY": "https://mirror.example", "GOPRIVATE": "", "GOAUTH": null}' ;;
version) env >"$LOG"; echo "go version go1.26.8 linux/amd64" ;;
esac
"""


def test_what_changes_builds_is_not_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    go = tmp_path / "go"
    go.write_text(_GO, encoding="utf-8")
    go.chmod(0o755)
    monkeypatch.setenv("LOG", str(log))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("GOOS", "GOAMD64", "GOEXPERIMENT", "GODEBUG"):
        monkeypatch.setenv(name, "odd")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    found = find_toolchain(Store(tmp_path / "store"), Shell(), Recorder(), "1.26.8")
    assert found.go == str(go)
    seen = dict(line.split("=", 1) for line in log.read_text(encoding="utf-8").splitlines())
    assert not {"GOOS", "GOAMD64", "GOEXPERIMENT", "GODEBUG", "GOPRIVATE", "GOAUTH"} & seen.keys()
    assert (seen["GOENV"], seen["GOPROXY"]) == ("off", "https://mirror.example")
    assert (seen["GOTOOLCHAIN"], seen["GOWORK"]) == ("go1.26.8", "off")
    assert seen["HTTPS_PROXY"] == "http://proxy.example"
