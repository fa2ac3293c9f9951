"""The page of each topology: from its file, what is installed for it, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.files import topology_named, topology_names
from meshproof.mesh.sketch import on_paper, sketched
from meshproof.resources import resource
from website.objects import without_ours, written_objects
from website.topology_page import pages, sections, topology_page, without_sections

DOCS = resource("docs")
PROSE = (DOCS / "topologies.md").read_text(encoding="utf-8")
BEHAVIOURS = (DOCS / "behaviours.md").read_text(encoding="utf-8")
FLAT, SPLIT = "primary-remote-flat", "primary-remote-split-horizon"


def page(name: str) -> str:
    return topology_page(resource("topologies") / f"{name}.yaml", PROSE, BEHAVIOURS)


def test_every_topology_has_a_page_with_its_picture_and_its_clusters() -> None:
    made = pages(resource("topologies"), DOCS)
    assert set(made) == {f"topologies/{name}.md" for name in topology_names()}
    for name in topology_names():
        text = made[f"topologies/{name}.md"]
        assert (
            text.startswith(f"# {name}\n")
            and "<svg" in text
            and "\n## What a user writes\n" in text
        )
        for cluster in topology_named(name).meshed:
            assert f"### In {cluster.name}\n" in text


def test_what_is_at_work_nowhere_in_a_topology_is_not_said_of_it() -> None:
    assert "AUTO_PASSTHROUGH" in page(SPLIT) and "15443 (calls)" in page(SPLIT)
    assert "AUTO_PASSTHROUGH" not in page(FLAT) and "15443 (calls)" not in page(FLAT)
    assert "remotePilotAddress" in page(FLAT)
    assert "remotePilotAddress" not in page("multi-primary-flat")


@pytest.mark.parametrize("name", ["federation", "hybrid"])
def test_several_meshes_have_then_and_now_of_their_own_and_what_a_user_writes(name: str) -> None:
    told, _, written = page(name).partition("## What a user writes")
    assert "| then | now |" in told and ".global" in told.partition("| then | now |")[2]
    assert written.count("name: federation-gateway") == len(topology_named(name).control_planes)
    for one in topology_named(name).exposes:
        assert f"name: exposed-{one.host}" in written and f"name: imported-{one.host}" in written


def test_what_is_judged_is_as_the_table_of_behaviours_says() -> None:
    judged = page(SPLIT).partition("## What is judged on it")[2]
    assert "`paths/remote-through-gateway`" in judged
    assert "`paths/remote-by-pod`" not in judged and "`paths/remote-by-pod`" in page(FLAT)


def test_a_topology_of_which_nothing_is_said_has_no_page(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nclusters:\n  east: {role: primary, network: one}\n")
    with pytest.raises(KeyError):
        topology_page(path, PROSE, BEHAVIOURS)


def test_sections_go_one_deeper_and_their_links_lead_out_of_the_folder() -> None:
    prose = "# T\n\n## one, two, on demand\n\nSee [b](behaviours.md#x).\n\n### More\n"
    found = sections(prose)
    assert found["one"] == found["two"]
    assert "](../behaviours.md#x)" in found["one"] and "\n#### More" in found["one"]


def test_the_overview_links_each_page_in_place_of_its_section() -> None:
    text = without_sections(PROSE, topology_names())
    for name in topology_names():
        assert f"(topologies/{name}.md)" in text and f"## {name}" not in text
    assert "\n## The file\n" in text and "\n## Then and now\n" in text


def test_nothing_of_the_benchs_own_is_told_to_users() -> None:
    for name in topology_names():
        said = written_objects(sketched(topology_named(name)))
        for ours in ("accessLogFormat", "readinessPeriodSeconds", "hub:", "localhost/", "10m"):
            assert ours not in said


def test_what_users_need_is_kept() -> None:
    plan = on_paper(sketched(topology_named("external-control-plane")))
    control = without_ours(plan.control_plane(plan.deployment.topology["control"]))
    values = control["spec"]["values"]
    assert values["pilot"]["env"] == {"LOCAL_CLUSTER_SECRET_WATCHER": "true"}
    assert values["global"]["multiCluster"] == {"clusterName": "east"}
    said = written_objects(plan.deployment)
    assert "--type config --name east" in said and "create-remote-secret --name west" in said
