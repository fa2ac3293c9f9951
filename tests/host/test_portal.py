"""What a portal is made of: Envoy's configuration, and who may ask it for what."""

from __future__ import annotations

import json

from meshproof.host.portal_config import IDENTITY_HEADERS, Upstream, bootstrap, key_files, ports
from meshproof.host.portal_objects import (
    LISTED,
    PORTAL,
    member_objects,
    program_objects,
    user_objects,
)

EAST, WEST = Upstream("east", "10.0.0.2", 6443), Upstream("west", "10.0.0.3", 6443)


def test_each_member_has_a_listener_that_leads_to_its_own_api_server() -> None:
    made = bootstrap([EAST, WEST])["static_resources"]
    listeners = {one["name"]: one for one in made["listeners"]}
    clusters = {one["name"]: one for one in made["clusters"]}
    for one in (EAST, WEST):
        (chain,) = listeners[one.member]["filter_chains"]
        (manager,) = chain["filters"]
        (host,) = manager["typed_config"]["route_config"]["virtual_hosts"]
        assert host["routes"][0]["route"]["cluster"] == one.member
        assert host["request_headers_to_remove"] == list(IDENTITY_HEADERS)
        endpoints = clusters[one.member]["load_assignment"]["endpoints"]
        assert one.address in json.dumps(endpoints)
        tls = json.dumps(clusters[one.member]["transport_socket"])
        assert all(name in tls for name in (*key_files(one.member), one.address))
    at = {name: one["address"]["socket_address"]["port_value"] for name, one in listeners.items()}
    assert at == ports(["east", "west"])
    assert len(set(at.values())) == len(at)


def test_the_host_lists_each_member_by_a_service_of_its_name() -> None:
    objects = program_objects("envoy:1", [EAST, WEST], {"east.crt": "pem"}, ())
    services = [one for one in objects if one["kind"] == "Service"]
    listed = {one["metadata"]["name"]: one["metadata"]["labels"][LISTED] for one in services}
    assert listed == {"east": "east", "west": "west"}
    assert [one["spec"]["ports"][0]["targetPort"] for one in services] == [8001, 8002]
    (config,) = [one for one in objects if one["kind"] == "ConfigMap"]
    assert json.loads(config["data"]["envoy.json"]) == bootstrap([EAST, WEST], ())


def test_a_user_may_ask_through_the_portal_for_members_that_are_named_alone() -> None:
    _, role, _ = user_objects("partial", ["west"])
    rules = {rule["resources"][0]: rule for rule in role["rules"]}
    assert rules["services/proxy"]["resourceNames"] == ["west"]
    _, role, _ = user_objects("stranger", [])
    assert [rule["resources"] for rule in role["rules"]] == [["services"]]


def test_the_portal_may_only_read_in_members() -> None:
    role, binding = member_objects("shop")
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}
    ]
    assert [one["name"] for one in binding["subjects"]] == [PORTAL]
