"""How a host gets into a member: by a token that the member can take back."""

from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from meshproof.errors import LabError
from meshproof.host.credentials import grant, kubeconfig, revoke, secret
from meshproof.host.tenants import DOORS, Tenant
from meshproof.kube import client

SHOP, BANK = Tenant("shop", ("east",)), Tenant("bank", ("east",))
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


class Core:
    """Secrets of one namespace, of which each gets a token of its own."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}

    def create_namespaced_secret(self, namespace: str, body: dict[str, Any]) -> None:
        assert namespace == DOORS
        self.there[body["metadata"]["name"]] = body

    def read_namespaced_secret(self, name: str, _: str) -> SimpleNamespace:
        if name not in self.there:
            raise client.ApiException(status=404, reason="Not Found")
        token = base64.b64encode(f"token of {name}".encode()).decode()
        return SimpleNamespace(data={"token": token})

    def list_namespaced_secret(self, _: str) -> SimpleNamespace:
        items = [
            SimpleNamespace(
                type=body["type"],
                metadata=SimpleNamespace(name=name, annotations=body["metadata"]["annotations"]),
            )
            for name, body in self.there.items()
        ]
        return SimpleNamespace(items=items)

    def delete_namespaced_secret(self, name: str, _: str) -> None:
        del self.there[name]


def member(folder: Path) -> Any:
    authority = folder / "ca.pem"
    authority.write_text(PEM, encoding="utf-8")
    return SimpleNamespace(
        name="east",
        core=Core(),
        control_plane=SimpleNamespace(address="172.30.1.2"),
        api=SimpleNamespace(configuration=SimpleNamespace(ssl_ca_cert=str(authority))),
    )


def test_each_token_that_is_granted_is_another_and_all_of_a_tenant_are_taken_back(
    tmp_path: Path,
) -> None:
    east = member(tmp_path)
    first, second, other = grant(east, SHOP), grant(east, SHOP), grant(east, BANK)
    assert first != second and len(east.core.there) == 3
    revoke(east, SHOP)
    (left,) = east.core.there
    assert other == f"token of {left}" and left.startswith("bank-")
    with pytest.raises(LabError, match="east has granted no token to shop"):
        revoke(east, SHOP)


def test_a_kubeconfig_leads_to_the_members_address_with_its_authority(tmp_path: Path) -> None:
    told = yaml.safe_load(kubeconfig(member(tmp_path), "t"))
    (cluster,), (user,) = told["clusters"], told["users"]
    assert cluster["cluster"]["server"] == "https://172.30.1.2:6443"
    authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
    assert authority == PEM and user["user"] == {"token": "t"}


def test_the_host_keeps_it_for_one_tenant_and_one_member(tmp_path: Path) -> None:
    kept = secret(member(tmp_path), SHOP, "t")
    assert kept["metadata"] == {"name": "east", "namespace": "shop"}
    assert list(kept["stringData"]) == ["value"]
