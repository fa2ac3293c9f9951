"""The program's entry, also for ``python -m meshproof``."""

from __future__ import annotations

from meshproof.first import (
    end,
    leave_quietly_when_interrupted,
    listen_as_usual,
    look_for_garbage_rarely,
)


def main() -> None:
    """Run the command line; whatever comes of it is an exit code: 0, 1, 2 or 64."""
    leave_quietly_when_interrupted()
    look_for_garbage_rarely()
    import traceback

    from meshproof.errors import EXIT_COULD_NOT_TELL
    from meshproof.output import guard_output

    guard_output()
    try:
        from meshproof.cli.app import run
    except Exception:  # a damaged installation must not look like a verdict
        traceback.print_exc()
        end(EXIT_COULD_NOT_TELL)

    listen_as_usual()
    end(run())


if __name__ == "__main__":
    main()
