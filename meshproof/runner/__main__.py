"""pytest as `meshproof verify` goes on: its exit codes are meshproof's, whatever happens."""

from __future__ import annotations

import sys

from meshproof.first import end, leave_quietly_when_interrupted, look_for_garbage_rarely

_PYTESTS_USAGE = 4


def main() -> None:
    """Run pytest with this process's arguments. Exit codes: 0, 1, 2 or 64."""
    leave_quietly_when_interrupted()  # until the plugin takes over
    from meshproof.output import guard_output

    guard_output()
    look_for_garbage_rarely()
    import pytest

    from meshproof.console import explained, with_lost_output
    from meshproof.errors import (
        EXIT_COULD_NOT_TELL,
        EXIT_DID_NOT_HOLD,
        EXIT_HELD,
        EXIT_USAGE,
    )

    try:
        code = int(pytest.main(sys.argv[1:]))
    except KeyboardInterrupt:
        code = EXIT_COULD_NOT_TELL
    except Exception as error:  # out of a hook in which pytest catches nothing
        code = explained(error)
    if code == _PYTESTS_USAGE:
        code = EXIT_USAGE
    elif code not in (EXIT_HELD, EXIT_DID_NOT_HOLD, EXIT_USAGE):
        code = EXIT_COULD_NOT_TELL
    end(with_lost_output(code))


if __name__ == "__main__":
    main()
