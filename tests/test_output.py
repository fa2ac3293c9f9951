"""Output that cannot be written: the run goes on, and no exit code looks like a verdict."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_PRINTS = """
import sys
from meshproof.output import guard_output, lost_output
guard_output()
for number in range(20000):
    print("line", number, "→ ё")
sys.stderr.write(f"went on: {lost_output()}\\n")
"""


def run(redirection: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = f'exec "$0" -c "$1" {redirection}'
    return subprocess.run(
        ["sh", "-c", command, sys.executable, _PRINTS],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirection", "environ", "said"),
    [
        ("> /dev/null", {}, "went on: None"),
        ("> /dev/full", {}, "went on: no space left on device"),
        (">&-", {}, "went on: None"),
        ("<&- >&-", {}, "went on: None"),
        ("> /dev/null", {"PYTHONIOENCODING": "ascii"}, "went on: None"),
        ("> /dev/null", {"PYTHONIOENCODING": "latin-1:strict"}, "went on: None"),
    ],
)
def test_what_is_printed_may_get_lost(redirection: str, environ: dict[str, str], said: str) -> None:
    done = run(redirection, **environ)
    assert (done.returncode, done.stderr.strip()) == (0, said)


def test_a_reader_that_leaves_is_no_trouble() -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -c "$1" | head -1; exit ${PIPESTATUS[0]}', sys.executable, _PRINTS],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stderr.strip() == "went on: None"


def test_a_character_that_the_encoding_lacks_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "out"
    run(f"> {target}", PYTHONIOENCODING="ascii")
    assert target.read_text().splitlines()[0] == "line 0 ? ?"


def test_a_closed_output_is_not_given_to_the_next_file(tmp_path: Path) -> None:
    code = (
        "import sys; from meshproof.output import guard_output; guard_output()\n"
        f"file = open({str(tmp_path / 'record')!r}, 'w'); print('noise'); file.close()"
    )
    subprocess.run(["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, code], check=True)
    assert (tmp_path / "record").read_text() == ""


def test_an_output_that_does_not_block_is_waited_for() -> None:
    """As other programs leave their pipes to those that they start."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen(
        [sys.executable, "-c", _PRINTS], stdout=writing, stderr=subprocess.PIPE, text=True
    ) as program:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            lines = pipe.read().count(b"\n")
        assert program.stderr is not None
        assert program.stderr.read().strip() == "went on: None"
    assert (program.returncode, lines) == (0, 20000)


@pytest.mark.parametrize(
    ("columns", "left"), [("0", ""), ("-5", ""), ("x", ""), ("1", ""), ("120", "120")]
)
def test_a_width_that_nothing_fits_into_counts_as_not_said(columns: str, left: str) -> None:
    code = (
        "import os; from meshproof.output import guard_output; guard_output()\n"
        "print(os.environ.get('COLUMNS', ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "COLUMNS": columns},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == left
