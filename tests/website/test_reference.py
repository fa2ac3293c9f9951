"""The reference, made of what typer, pytest and the schemas say."""

from __future__ import annotations

import pytest

from meshproof.schema import json_schemas
from website.reference import commands, conformance, fixtures, markers, options, record

FIXTURES = """\
----- fixtures defined from _pytest.cacheprovider -----
cache -- .../cacheprovider.py:557
    Return a cache object.

-------------- fixtures defined from meshproof_fixtures.mesh ---------------
sample -- ../x/fixtures/mesh.py:15
    sleep and helloworld on a mesh, on ``deployments``.

labs [session scope] -- ../x/fixtures/clusters.py:19
    The labs of this run.

---------------------- fixtures defined from xdist.plugin ----------------------
worker_id [session scope] -- .../plugin.py:391
    Return the id.
"""


def test_fixtures_are_ours_alone_with_their_scope_and_words() -> None:
    page = fixtures(FIXTURES)
    assert "### `sample`\n" in page and "on a mesh, on `deployments`." in page
    assert "### `labs`, once a session\n" in page
    assert "cache" not in page and "worker_id" not in page and "fixtures/mesh.py" not in page


def test_markers_are_ours_alone() -> None:
    said = (
        "@pytest.mark.hypothesis: Tests.\n@pytest.mark.networks(count): one (1) | several\n"
        "@pytest.mark.skip(reason=None): skip it\n@pytest.mark.remotes: a remote\n"
    )
    page = markers(said)
    assert "| `networks(count)` | one (1) \\| several |" in page and "| `remotes` |" in page
    assert "hypothesis" not in page and "skip" not in page


def test_options_are_the_group_of_meshproof() -> None:
    said = (
        "general:\n  -k X  some\n\n"
        "meshproof:\n  --meshproof-mtls=MODE\n      modes\n\nOther:\n  -z\n"
    )
    assert "--meshproof-mtls=MODE" in options(said)
    assert "-k X" not in options(said) and "-z" not in options(said)


@pytest.mark.parametrize("make", [commands, fixtures, markers, options])
def test_a_page_of_nothing_is_an_error(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="meshproof"):
        make("nothing of ours\n")


def test_commands_have_no_tags_that_a_browser_would_swallow() -> None:
    head = "\n\n## `meshproof verify`\n\n"
    page = commands(f"# `meshproof`{head}* `TOPOLOGY <list[str]>`: a topology&#x27;s name\n")
    assert page == f"# Commands{head}* `TOPOLOGY str`: a topology's name\n"


def test_the_records_page_has_each_kind_and_its_fields() -> None:
    page = record(json_schemas())
    for kind in json_schemas():
        assert f"\n## {kind}\n" in page
    assert "| `outcome` | `PASS`, `FAIL`, `INCONCLUSIVE`, `KNOWN` |  |  |" in page
    assert "| `reads` | list of string | may be left out |  |" in page


def test_the_conformance_page_names_types_and_shows_the_schema() -> None:
    schema = {
        "description": "What.",
        "required": ["kind"],
        "properties": {"kind": {"const": "K"}, "one": {"$ref": "#/$defs/oneThing"}},
        "$defs": {"oneThing": {"properties": {"n": {"type": ["integer", "null"]}}}},
    }
    page = conformance(schema)
    assert "| `kind` | `K` |  |  |" in page
    assert "| `one` | one thing | may be left out |  |" in page
    assert "## one thing\n" in page and "| `n` | integer or null |" in page
    assert '    "description": "What."' in page
