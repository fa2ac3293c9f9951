"""How images are written into archives and pushed, by each engine's own command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from meshproof.engine.docker import Docker
from meshproof.engine.engine import Engine
from meshproof.engine.podman import Podman
from meshproof.errors import EngineError
from meshproof.process import Finished
from tests.lab.fakes import FakeShell

REFERENCE, DIGEST = "registry.example/me/workload:1", "c" * 64
# As docker 26.1 ends a push.
PUSHED = f"5f70bf18a086: Pushed\n1: digest: sha256:{DIGEST} size: 528\n"


class Pushing(FakeShell):
    """Notes the digest in podman's file, and says it as docker does."""

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        finished = super().run(argv, **options)
        if "--digestfile" in argv:
            Path(argv[argv.index("--digestfile") + 1]).write_text(f"sha256:{DIGEST}")
        return finished


@pytest.mark.parametrize("kind", [Podman, Docker])
def test_a_push_tells_the_digest_that_is_there(kind: type[Engine]) -> None:
    shell = Pushing(answers={("docker", "push"): PUSHED})
    assert kind(shell).push(REFERENCE) == f"sha256:{DIGEST}"
    assert shell.ran[-1][-1] == REFERENCE


def test_a_push_that_tells_no_digest_is_a_sentence() -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        Docker(FakeShell(answers={("docker", "push"): "Pushed\n"})).push(REFERENCE)


def test_several_images_are_no_names_of_the_first(tmp_path: Path) -> None:
    shell = FakeShell()
    for kind in (Podman, Docker):
        kind(shell).save(["a", "b"], tmp_path / "x.tar")
    podmans, dockers = shell.ran
    assert "--multi-image-archive" in podmans
    assert dockers == ("docker", "save", "-o", str(tmp_path / "x.tar"), "a", "b")
