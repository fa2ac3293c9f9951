"""Prints which behaviours are judged on which topologies, instead of running anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from meshproof.console import say_line
from meshproof.files import topology_names
from meshproof.report.behaviours import as_json, markdown, sections, tables
from meshproof.run.selection import usual_topologies
from meshproof.runner.behaviours import BEHAVIOURS
from meshproof.runner.declaring import declared_in
from meshproof.runner.known import CATALOGUE
from meshproof.runner.matrix import MATRIX


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave nothing to be listed or run."""
    if config.option.meshproof_behaviours is not None:
        items.clear()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print the table, where it was asked for and every suite could be read."""
    config = session.config
    shape = config.option.meshproof_behaviours
    if shape is None or session.testsfailed:
        return
    matrix = config.stash.get(MATRIX, None)
    plain = replace(matrix, full=False).deployments if matrix is not None else ()
    on_demand = set(topology_names()).difference(usual_topologies())
    judged = [one for one in plain if one.topology.name not in on_demand]
    sabotages, issues = config.stash[BEHAVIOURS].sabotages, config.stash[CATALOGUE]
    found = sections(declared_in(config), judged, sabotages, issues)
    if shape == "json":
        say_line(as_json(declared_in(config), sabotages))
    elif shape == "markdown":
        say_line(markdown(found).rstrip("\n"))
    else:
        Console().print(tables(found))
