"""The tenants that a host has here, and what each pushes when nothing is tried: one that manages,
one in every member, and one in the last alone."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.host.content import Content, Overlay
from meshproof.host.host import Plan
from meshproof.host.tenants import Rights, Tenant, identity_objects
from meshproof.kube.objects import Object

PLATFORM, SHOP, BANK = "platform", "shop", "bank"
CATALOGUE, ANNEX, LEDGER = "catalogue", "annex", "ledger"


def usual_plan(members: Sequence[str]) -> Plan:
    """Who there is, and what each pushes first. ``members``: the clusters that the host manages, in
    the topology's order."""
    everyone = tuple(members)
    shop, bank = Tenant(SHOP, everyone), Tenant(BANK, everyone[-1:])
    platform = Tenant(PLATFORM, everyone, Rights.SHARED)
    identities = {
        name: Overlay(
            [made for one in (shop, bank) if name in one.members for made in identity_objects(one)]
        )
        for name in everyone
    }
    return Plan(
        (platform, shop, bank),
        {
            PLATFORM: Content((), identities),
            SHOP: _shops(everyone),
            BANK: Content([config_map(LEDGER, BANK, {"kept": "yes"})], {everyone[-1]: Overlay()}),
        },
    )


def config_map(name: str, namespace: str, data: dict[str, str]) -> Object:
    """An object that nothing acts upon."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _shops(members: tuple[str, ...]) -> Content:
    """For all members a catalogue, a Service and an account; in each the catalogue says where it
    is, and the last member has an annex."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "storefront", "namespace": SHOP},
        "spec": {
            "selector": {"app": "storefront"},
            "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}],
        },
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "clerk", "namespace": SHOP},
    }
    catalogue = config_map(CATALOGUE, SHOP, {"place": "anywhere", "season": "all"})
    overlays = {
        one: Overlay(
            [config_map(ANNEX, SHOP, {"in": one})] if one == members[-1] else (),
            [config_map(CATALOGUE, SHOP, {"place": one})],
        )
        for one in members
    }
    return Content([catalogue, service, account], overlays)
