"""What is installed from the wheel works without the checkout, and serves other people's suites."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import meshproof

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "example" / "test_greetings.py"
COLLECTED = (
    "test_greetings.py::test_greetings_come_from_everywhere"
    "[primary-remote-flat+1.31.1+strict-from-{}]"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel was unpacked, as pip would."""
    built, target = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What Python runs in a folder of somebody else's, with what was installed and without the
    checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "100"}
    argv = [sys.executable, "-P", *arguments]
    return subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True)


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    """Control of the tests below: else they would be on the checkout."""
    code = (
        "import meshproof, meshproof.resources as r; print(meshproof.__file__, r.resource('docs'))"
    )
    said = run(installed, tmp_path, "-c", code).stdout
    assert said.count(str(installed)) == 2 and str(ROOT) not in said


def test_commands_answer(installed: Path, tmp_path: Path) -> None:
    told = run(installed, tmp_path, "-m", "meshproof", "--help")
    assert told.returncode == 0 and "verify" in told.stdout
    version = run(installed, tmp_path, "-m", "meshproof", "--version")
    assert version.stdout.strip() == f"meshproof {meshproof.__version__}"


def test_fixtures_read_like_a_manual(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, "-m", "pytest", "--fixtures").stdout
    ours = said.partition("meshproof_fixtures")[2]
    for name in ("sample", "caller", "target", "judge", "lab"):
        assert re.search(rf"^{name}( \[\w+ scope\])? -- ", ours, re.MULTILINE), name
    assert "no docstring available" not in ours


def test_somebody_elses_suite_is_collected(installed: Path, tmp_path: Path) -> None:
    """`pytest docs/example --meshproof-topology primary-remote-flat` runs it on clusters."""
    text = EXAMPLE.read_text(encoding="utf-8")
    (tmp_path / EXAMPLE.name).write_text(text, encoding="utf-8")
    asked = ["--collect-only", "-q", "--meshproof-topology=primary-remote-flat"]
    done = run(installed, tmp_path, "-m", "pytest", *asked)
    assert done.returncode == 0, done.stdout + done.stderr
    for cluster in ("east", "west"):
        assert COLLECTED.format(cluster) in done.stdout
    assert len([line for line in text.splitlines() if line]) <= 10


def test_the_changelog_begins_with_the_version_that_is_built() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    headings = [
        line
        for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    ]
    assert headings[0].startswith(f"## {project['version']}, ")
    assert project["version"] == meshproof.__version__
