"""The lab's rules on the host: one nft table a run, so that removing them is one command."""

from __future__ import annotations

import json
import re

from meshproof.errors import CommandError, LabError
from meshproof.lab.ownership import table_name
from meshproof.lab.rules import Bridge, host_rules
from meshproof.process import Shell

_OURS = re.compile(r"meshproof_([0-9a-f]{8})")


def seal(shell: Shell, lab_id: str, bridges: list[Bridge], *, names: bool = False) -> None:
    """Make the host forward nothing between the bridges nor out of them, in one transaction.

    ``names``: nodes may still ask the engine's name server on the host; clusters of several
    nodes need it while they are created. Raises LabError when the kernel refuses the rules.
    """
    try:
        rules = host_rules(table_name(lab_id), bridges, names=names)
        shell.run(["nft", "-f", "-"], input=rules, timeout=20)
    except CommandError as error:
        raise LabError(
            f"the host refused the lab's nft rules ({error.stderr.strip()[:200]})",
            "run 'meshproof doctor'",
        ) from None


def unseal(shell: Shell, lab_id: str) -> None:
    """Remove the run's rules; none there is no error."""
    shell.run(["nft", "delete", "table", "inet", table_name(lab_id)], check=False, timeout=20)


def sealed_ids(shell: Shell) -> set[str]:
    """The ids of the runs that have rules on this host."""
    listing = json.loads(shell.run(["nft", "-j", "list", "tables"], timeout=20).stdout)
    names = [entry["table"]["name"] for entry in listing["nftables"] if "table" in entry]
    return {match.group(1) for name in names if (match := _OURS.fullmatch(name))}
