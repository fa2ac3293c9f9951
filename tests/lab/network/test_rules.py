"""The router's, the nodes' and the host's rules say what the wiring says."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from meshproof.files import read_footprint
from meshproof.lab.network.counters import Counters, FlowKey, parse, passes
from meshproof.lab.network.rules import Bridge, Places, host_rules, node_rules, router_rules
from meshproof.model import Flow, Footprint, Site, Version, Wiring, flat, isolated

FOOTPRINT = read_footprint("east,west", Version.parse("1.36.3"))
PLACES = {
    name: Places(
        device=f"eth{number}",
        nodes=(IPv4Address(f"172.30.{number}.2"),),
        api=(IPv4Address(f"172.30.{number}.2"),),
        gateways=(IPv4Address(f"172.30.{number}.200"),),
    )
    for number, name in enumerate(FOOTPRINT.names)
}
NODE = IPv4Network("10.10.1.0/24")
POD_RULE = "add rule inet meshproof _east_to_west ip saddr { 10.10.0.0/16, 172.30.0.2 } "


def test_isolated_lets_api_and_gateways_through_and_drops_the_rest() -> None:
    rules = router_rules(FOOTPRINT, PLACES, isolated())
    ours = [line for line in rules.splitlines() if "rule inet meshproof _east_to_west" in line]
    assert "ip daddr { 172.30.1.2 } tcp dport 6443" in "\n".join(ours)
    assert "ip daddr { 172.30.1.200 } tcp dport { 15443, 15012, 15017, 15021 }" in "\n".join(ours)
    assert not any("__pod accept" in line or "__anything accept" in line for line in ours)
    assert ours[-1].endswith("east_to_west__dropped drop")


def test_flat_lets_pods_and_nodes_reach_pods() -> None:
    rules = router_rules(FOOTPRINT, PLACES, flat(FOOTPRINT))
    assert f"{POD_RULE}ip daddr 10.20.0.0/16 counter name _east_to_west__pod accept" in rules


def test_a_hole_is_in_one_direction_only() -> None:
    hole = Wiring("hole", {("east", "west"): frozenset({Flow.ANYTHING})})
    rules = router_rules(FOOTPRINT, PLACES, hole)
    assert "_east_to_west__anything accept" in rules
    assert "west_to_east__anything accept" not in rules


def test_no_gateways_means_no_rule_for_them() -> None:
    bare = {name: Places(p.device, p.nodes, p.api) for name, p in PLACES.items()}
    assert "__gateway accept" not in router_rules(FOOTPRINT, bare, isolated())


def test_the_witnesses_come_before_anything_is_decided() -> None:
    lines = router_rules(FOOTPRINT, PLACES, isolated()).splitlines()
    ours = [line for line in lines if "rule inet meshproof _east_to_west" in line]
    witnesses = [number for number, line in enumerate(ours) if "@ih" in line]
    decisions = [number for number, line in enumerate(ours) if line.endswith(("accept", "drop"))]
    assert max(witnesses) < min(decisions)


def test_nodes_keep_the_pods_own_address_towards_flat_peers_only() -> None:
    alone = node_rules(FOOTPRINT["east"], NODE, [])
    assert "ip saddr 10.10.0.0/16 ip daddr != { 10.10.0.0/16 } masquerade" in alone
    peered = node_rules(FOOTPRINT["east"], NODE, [FOOTPRINT["west"]])
    assert "ip daddr != { 10.10.0.0/16, 10.20.0.0/16 } masquerade" in peered


def test_what_passes_two_nodes_is_counted_where_it_arrives() -> None:
    rules = node_rules(FOOTPRINT["east"], NODE, []).splitlines()
    counting = [line for line in rules if " counter name _east__" in line]
    assert len(counting) > 3
    assert all("ip saddr 10.10.0.0/16 ip daddr 10.10.1.0/24 " in line for line in counting)


def test_the_host_drops_what_leaves_a_bridge() -> None:
    rules = host_rules("meshproof_0", [Bridge("podman7", IPv4Address("172.30.0.1"))])
    assert 'oifname "podman7" counter name forwarding_refused drop' in rules
    assert "dport 53" not in rules


LISTING = """{"nftables": [
 {"counter": {"name": "_east_to_west__api", "table": "meshproof", "packets": 7, "bytes": 1}},
 {"counter": {"name": "_east__http", "table": "meshproof", "packets": 2, "bytes": 1}},
 {"counter": {"name": "_east_to_outside__dropped", "packets": 1, "bytes": 1}},
 {"set": {"name": "_east_to_outside__dropped_flows", "elem": [{"elem": {
   "val": {"concat": ["10.10.0.5", "10.10.0.6", 53]}, "counter": {"packets": 1, "bytes": 9}}}]}},
 {"set": {"name": "_east__http_flows", "elem": [{"elem": {
   "val": {"concat": ["10.10.0.5", "10.10.0.6", 5000]}, "counter": {"packets": 2, "bytes": 9}}}]}},
 {"set": {"name": "_east__tls_flows"}}]}"""


def test_counters_are_read_and_subtracted() -> None:
    later = parse(LISTING)
    source, target = IPv4Address("10.10.0.5"), IPv4Address("10.10.0.6")
    earlier = Counters(
        {("east_to_west", "api"): 5}, {("east", "http", FlowKey(source, target, 5000)): 1}
    )
    since = later - earlier
    assert since.between(("east", "west"), "api") == 2
    assert since.inside("east", "http") == 2
    assert since.strayed("east", target, 53) == 1
    assert since.strayed("east", source, 53) == since.strayed("west", target, 53) == 0
    assert since.conversation("east", "http", source, target, 5000) == 1
    assert since.conversation("east", "tls", source, target, 5000) == 0
    assert since.conversation("west", "http", source, target, 5000) == 0


def test_a_twin_address_elsewhere_supplies_no_evidence() -> None:
    source, target = IPv4Address("10.10.0.5"), IPv4Address("10.10.0.6")
    key = FlowKey(source, target, 5000)
    places = {"west": 7, "east": 1, "east_to_west": 2, "west_to_east": 4, "west_to_north": 8}
    counted = Counters({}, {(place, "plain", key): n for place, n in places.items()})
    assert counted.conversation("east", "plain", source, target, 5000) == 1 + 2 + 4
    assert counted.conversation("west", "plain", source, target, 5000) == 7 + 2 + 4 + 8
    assert counted.conversation("east", "tls", source, target, 5000) == 0
    assert not passes("east2_to_west", "east")


def test_a_connection_is_plain_text_unless_it_begins_a_tls_handshake() -> None:
    for rules in (
        router_rules(FOOTPRINT, PLACES, isolated()),
        node_rules(FOOTPRINT["east"], NODE, []),
    ):
        begun = [line for line in rules.splitlines() if "add rule" in line and " begun " in line]
        judging = [line.partition(" begun ")[2] for line in begun if "jump" not in line]
        assert judging[-1] == "ct mark set ct mark or 0x4"
        assert "@ih,0,16 0x1603 return" in judging
        counting = [line for line in rules.splitlines() if "__plain_flows {" in line]
        assert any("ct direction reply" in line and "tcp sport }" in line for line in counting)


def test_what_was_dropped_for_a_namesake_is_not_the_pairs() -> None:
    target = IPv4Address("10.20.0.6")
    key = FlowKey(IPv4Address("10.10.0.5"), target, 80)
    counted = Counters({}, {("east_to_west2", "dropped", key): 3})
    assert counted.dropped_for(("east", "west"), target, 80) == 0
    assert counted.dropped_for(("east", "west2"), target, 80) == 3
    assert counted.strayed("east", target, 80) == 3


def test_counters_of_several_nodes_add_up() -> None:
    twice = parse(LISTING) + parse(LISTING)
    assert twice.between(("east", "west"), "api") == 14


def with_machines() -> tuple[Footprint, dict[str, Places]]:
    """One beside east, one on a network of its own."""
    footprint = replace(FOOTPRINT, machines=(Site("shop", "east"), Site("depot", "depot")))
    near, far = IPv4Address("172.30.0.9"), IPv4Address("172.30.7.2")
    places = {
        **PLACES,
        "east": replace(PLACES["east"], machines=(near,)),
        "depot": Places("eth7", machines=(far,)),
    }
    return footprint, places


def test_machines_on_a_network_of_their_own_reach_gateways_and_are_reached_by_pods() -> None:
    footprint, places = with_machines()
    flows = {("depot", "east"): frozenset({Flow.GATEWAY}), ("east", "depot"): frozenset({Flow.POD})}
    rules = router_rules(footprint, places, Wiring("w", flows))
    assert 'iifname "eth7" oifname "eth0" goto _depot_to_east' in rules
    out = [line for line in rules.splitlines() if line.endswith("_depot_to_east__gateway accept")]
    assert "ip daddr { 172.30.0.200 } tcp dport { 15443, 15012, 15017, 15021 }" in out[0]
    callers = "ip saddr { 10.10.0.0/16, 172.30.0.2, 172.30.0.9 }"
    assert f"{callers} ip daddr 172.30.7.2 counter name _east_to_depot__pod accept" in rules
    assert "_depot_to_east__pod accept" not in rules
    assert "_depot_to_outside__dropped drop" in rules


def test_on_a_flat_network_machines_are_reached_as_pods_are() -> None:
    footprint, places = with_machines()
    rules = router_rules(footprint, places, flat(FOOTPRINT))
    assert "ip daddr { 10.10.0.0/16, 172.30.0.9 } counter name _west_to_east__pod" in rules


def test_nodes_see_what_pods_and_machines_beside_them_say() -> None:
    rules = node_rules(FOOTPRINT["east"], NODE, [], [IPv4Address("172.30.0.9")])
    seen = "ip saddr { 10.10.0.0/16, 172.30.0.9 } ip daddr { 10.10.1.0/24, 172.30.0.9 } "
    counting = [line for line in rules.splitlines() if " counter name _east__" in line]
    assert all(seen in line for line in counting)
    assert "ip saddr 10.10.0.0/16 ip daddr != { 10.10.0.0/16 } masquerade" in rules
