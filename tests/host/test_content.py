"""What tenants push: the same bytes for the same content, and an overlay for each member."""

from __future__ import annotations

import gzip
import io
import tarfile

import yaml

from meshproof.host.content import Content, Overlay
from meshproof.host.usual import ANNEX, BANK, CATALOGUE, PLATFORM, SHOP, config_map, usual_plan
from meshproof.kube.objects import title

MEMBERS = ("east", "west")
USUAL = usual_plan(MEMBERS)


def unpacked(content: Content) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content.packed()))) as tar:
        found = {}
        for one in tar.getmembers():
            file = tar.extractfile(one)
            assert file is not None
            found[one.name] = file.read().decode()
        return found


def test_the_same_content_is_packed_into_the_same_bytes() -> None:
    again = usual_plan(MEMBERS)
    for name, content in USUAL.contents.items():
        assert content.packed() == again.contents[name].packed()
    assert USUAL.contents[SHOP].packed() != USUAL.contents[BANK].packed()


def test_each_member_has_an_overlay_over_what_all_have() -> None:
    files = unpacked(USUAL.contents[SHOP])
    assert files == USUAL.contents[SHOP].files()
    east, west = (yaml.safe_load(files[f"{one}/kustomization.yaml"]) for one in MEMBERS)
    assert east["resources"] == ["../base"] and west["resources"] == ["../base", "objects.yaml"]
    assert yaml.safe_load(east["patches"][0]["patch"])["data"] == {"place": "east"}
    assert yaml.safe_load(files["base/kustomization.yaml"])["resources"] == ["objects.yaml"]


def test_what_all_have_is_not_named_where_that_is_nothing() -> None:
    files = unpacked(USUAL.contents[PLATFORM])
    assert not [path for path in files if path.startswith("base/")]
    for one in MEMBERS:
        assert yaml.safe_load(files[f"{one}/kustomization.yaml"])["resources"] == ["objects.yaml"]


def test_what_is_due_to_a_member_is_shaped_as_its_overlay_says() -> None:
    content = USUAL.contents[SHOP]
    east = {title(one): one for one in content.due("east")}
    west = {title(one): one for one in content.due("west")}
    assert east[f"ConfigMap {SHOP}/{CATALOGUE}"]["data"] == {"place": "east", "season": "all"}
    assert west.keys() - east.keys() == {f"ConfigMap {SHOP}/{ANNEX}"}


def test_tenants_push_to_their_own_members_alone() -> None:
    platform, shop, bank = USUAL.tenants
    assert platform.manages and not shop.manages and not bank.manages
    assert shop.members == MEMBERS and bank.members == ("west",)
    assert set(USUAL.contents[BANK].members) == {"west"}
    spaces = {
        name: [
            one["metadata"]["name"]
            for one in USUAL.contents[PLATFORM].due(name)
            if one["kind"] == "Namespace"
        ]
        for name in MEMBERS
    }
    assert spaces == {"east": [SHOP], "west": [SHOP, BANK]}


def test_a_file_may_stand_for_itself() -> None:
    content = Content([config_map("a", "b", {})], {"east": Overlay()}, {"east/x.yaml": "no: {"})
    assert unpacked(content)["east/x.yaml"] == "no: {"
