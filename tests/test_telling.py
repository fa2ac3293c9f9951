"""Out of all that a program printed, the line that tells why it failed."""

from __future__ import annotations

import time

import pytest

from meshproof.errors import CommandError, CommandTimeoutError
from meshproof.telling import called, plain_lines, shown, telling_line

NFT = """/dev/stdin:3:1-19: Error: No such file or directory; did you mean table 'x'?
flush table inet y
^^^^^^^^^^^^^^^^^^^
"""
PYTHON = """Traceback (most recent call last):
  File "x.py", line 1, in <module>
    {}["west"]
    ~~^^^^^^^^
KeyError: 'west'
"""
GO = """panic: runtime error: index out of range [1] with length 0

goroutine 1 [running]:
main.main()
\t/tmp/m.go:3 +0x1d
exit status 2
"""
COBRA = """Error: unknown flag: --nope
See 'podman --help'
"""
WARNED = """time="2026" level=warning msg="Error validating CNI config"
nothing of that kind here
"""


@pytest.mark.parametrize(
    ("stderr", "told"),
    [
        ("no luck\n", "no luck"),
        ("first\nsecond\n\n", "second"),
        (NFT, "/dev/stdin:3:1-19: Error: No such file or directory; did you mean table 'x'?"),
        (PYTHON, "KeyError: 'west'"),
        (GO, "panic: runtime error: index out of range [1] with length 0"),
        (COBRA, "Error: unknown flag: --nope"),
        (WARNED, "nothing of that kind here"),
        ("E: no such package\nhint: look elsewhere\n", "E: no such package"),
        (
            "\x1b[1;31mError:\x1b[0m \x1b]8;;http://x\x07no\x1b]8;;\x07 luck\x1b[K\n",
            "Error: no luck",
        ),
        ("10 %\r50 %\rError: disk is full\n", "Error: disk is full"),
        ("Error: with a line end of Windows'\r\n", "Error: with a line end of Windows'"),
        ("^^^^^^\n-----\n}\n", "no message"),
        ("", "no message"),
        ("\x00\x01\ufffd\ufffd\x7f\n", "no message"),
        ("tabs\tand   blanks", "tabs and blanks"),
    ],
)
def test_the_line_that_tells(stderr: str, told: str) -> None:
    assert telling_line(stderr) == told


def test_what_says_nothing_on_standard_error_is_asked_for_its_output() -> None:
    assert telling_line("\n \n", "E: no mirror\n") == "E: no mirror"
    assert telling_line("no luck", "E: no mirror\n") == "no luck"


def test_megabytes_give_one_line_of_bearable_length() -> None:
    begin = time.monotonic()
    told = telling_line("x" * 50_000_000 + "\n" + "Error: " + "y" * 10_000_000)
    assert time.monotonic() - begin < 2
    assert len(told) == 400
    assert "\n" not in str(CommandError(["cat"], 1, "", "z\n" * 5_000_000))
    assert plain_lines("\n" * 1_000_000) == []


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["ip", "link"], "ip link"),
        (
            ["kind", "create", "cluster", "--retain", "--name", "x"],
            "kind create cluster --retain …",
        ),
        (["sh", "-c", "one\n  two\n"], "sh -c one two"),
        (
            [*("nsenter", "-t", "32282", "-n", "--"), *("env", "-i", "A=/bin", "nft", "-f", "-")],
            "nsenter … nft -f -",
        ),
        (
            ["nsenter", "-t", "1", "--", "env", "-i", "nsenter", "-t", "2", "-n", "ip", "a"],
            "nsenter … ip a",
        ),
        (["nsenter"], "nsenter"),
        (["env", "-i"], "env -i"),
    ],
)
def test_the_program_is_named(argv: list[str], name: str) -> None:
    assert called(argv) == name


def test_a_long_command_line_is_cut() -> None:
    assert len(called(["sh", "-c", "x" * 5000])) == 120


def test_how_a_program_ended_is_said() -> None:
    assert str(CommandError(["x"], 3, "", "no luck.")) == "'x' ended with 3, saying: no luck."
    assert "'x' was ended by SIGKILL, saying: no message" in str(CommandError(["x"], -9, "", ""))
    assert "ended with -99" in str(CommandError(["x"], -99, "", ""))
    late = CommandTimeoutError(["x", "y"], 20.0)
    assert (str(late), late.returncode) == ("'x y' was not finished after 20 s.", -1)
    said = CommandTimeoutError(["x"], 20.0, "", "waiting for it\n")
    assert str(said) == "'x' was not finished after 20 s; it said: waiting for it."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plain → ё", "plain → ё"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[2Jclear", "\\x1b[2Jclear"),
        ("nul\0", "nul\\x00"),
        ("\udcff", "\\udcff"),
        ("x" * 400, "x" * 400),
        ("x" * 401 + " y", "x" * 200 + "… y"),
    ],
)
def test_what_somebody_else_wrote_is_shown_so_that_it_can_be_read(text: str, said: str) -> None:
    assert shown(text, lines=False) == said


def test_lines_may_stay() -> None:
    assert shown("two\nlines\x07") == "two\nlines\\x07"
