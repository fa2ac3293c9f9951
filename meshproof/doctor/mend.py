"""Mends what was found: each fix is announced before it is done, and done once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from meshproof.doctor.findings import Finding, Fix, MakeFolder, Run, Step, Write
from meshproof.environment import for_downloads
from meshproof.errors import CancelledError, MeshproofError
from meshproof.events import Recorder
from meshproof.process import Shell

_SECONDS = 1200.0


def mend(
    findings: Sequence[Finding],
    shell: Shell,
    recorder: Recorder,
    announce: Callable[[str], None],
) -> None:
    """Do the fixes that ``findings`` carry, in order; without any, nothing is done.

    A fix that fails is announced as failed and the next one is tried: examining again shows
    what is left. Raises CancelledError when the run is called off.
    """
    for fix in _distinct(findings):
        announce(fix.says)
        try:
            with recorder.step("fix", says=fix.says):
                for step in fix.steps:
                    _do(step, shell)
        except CancelledError:
            raise
        except (MeshproofError, OSError) as error:
            announce(f"This did not work: {error}")


def _distinct(findings: Sequence[Finding]) -> list[Fix]:
    fixes: list[Fix] = []
    for finding in findings:
        if finding.fix is not None and finding.fix not in fixes:
            fixes.append(finding.fix)
    return fixes


def _do(step: Step, shell: Shell) -> None:
    match step:
        case Run(argv, env):
            shell.run(argv, env={**for_downloads(os.environ), **env}, timeout=_SECONDS)
        case MakeFolder(path):
            path.mkdir(parents=True, exist_ok=True)
        case Write(path, text):
            if path.is_file() and path.read_text(encoding="utf-8") == text:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
