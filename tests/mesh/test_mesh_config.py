"""A mesh's configuration is changed for a while, and then says what it said before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from meshproof.errors import LabError
from meshproof.mesh.mesh_config import (
    merged,
    mesh_configured,
    networks_edited,
    readdressed,
)

BEFORE = "# as it was written\naccessLogFile: /dev/stdout\ntrustDomain: cluster.local\n"
NETWORKS = """# as it was written
networks:
  net-east:
    endpoints:
    - fromRegistry: east
    gateways:
    - address: 172.18.0.9
      port: 15443
  net-west:
    gateways: []
"""


class Core:
    """One ConfigMap, and what was written into it."""

    def __init__(self, key: str = "mesh", text: str = BEFORE) -> None:
        self.key, self.text, self.written = key, text, list[str]()

    def read_namespaced_config_map(self, name: str, namespace: str) -> Any:
        assert (name, namespace) == ("istio", "istio-system")
        return SimpleNamespace(data={self.key: self.text})

    def patch_namespaced_config_map(self, name: str, namespace: str, body: Any) -> None:
        self.text = body["data"][self.key]
        self.written.append(self.text)


def mesh_with(core: Core) -> Any:
    topology = SimpleNamespace(
        control_planes=[SimpleNamespace(name="outside")], config_cluster=lambda _: "east"
    )
    clusters = {"east": SimpleNamespace(name="east", core=core)}
    return SimpleNamespace(
        deployment=SimpleNamespace(topology=topology),
        blueprint=SimpleNamespace(revised=lambda name: name),
        cluster=clusters.__getitem__,
    )


def test_it_has_other_fields_inside_the_block_alone() -> None:
    core = Core()
    with pytest.raises(ZeroDivisionError), mesh_configured(mesh_with(core), {"trustDomain": "x"}):
        inside = yaml.safe_load(core.text)
        raise ZeroDivisionError
    assert inside == {"accessLogFile": "/dev/stdout", "trustDomain": "x"}
    assert core.text == BEFORE and len(core.written) == 2


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(LabError, match="no mapping"):
        merged("- one", {})


def test_networks_have_another_gateway_inside_the_block_alone() -> None:
    core = Core("meshNetworks", NETWORKS)
    with networks_edited(mesh_with(core), {"172.18.0.9": "172.18.0.10"}):
        inside = yaml.safe_load(core.text)["networks"]
    assert inside["net-east"] == {
        "endpoints": [{"fromRegistry": "east"}],
        "gateways": [{"address": "172.18.0.10", "port": 15443}],
    }
    assert core.text == NETWORKS and len(core.written) == 2


@pytest.mark.parametrize("text", [NETWORKS, "networks: {}", "- one", ""])
def test_a_gateway_that_networks_do_not_know_is_refused(text: str) -> None:
    with pytest.raises(LabError, match="know no gateway at 172"):
        readdressed(text, {"172.18.0.11": "172.18.0.10"})
