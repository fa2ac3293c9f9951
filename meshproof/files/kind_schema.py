"""What kind's own configuration can say (kind.x-k8s.io/v1alpha4), as kind 0.33 reads it.

From https://kind.sigs.k8s.io/docs/user/configuration/ and kind's pkg/apis/config/v1alpha4.
Ranges, patches and what the lab needs are looked at afterwards (ranges.py, kind_patches.py,
kind_config.py).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool
from pydantic import StrictInt as Int

API_VERSION = "kind.x-k8s.io/v1alpha4"


def _text(value: object) -> object:
    # kind takes numbers and truth values for texts as well: labels {a: 1}.
    return str(value) if isinstance(value, bool | int | float) else value


def _address(value: str) -> str:
    return str(ip_address(value))


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


_Text = Annotated[str, BeforeValidator(_text)]
_Address = Annotated[str, AfterValidator(_address)]
_NAME = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_LabelKey = Annotated[str, Field(pattern=rf"^([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}$")]
_LabelValue = Annotated[str, BeforeValidator(_text), Field(pattern=rf"^({_NAME})?$")]
_PORT = "write a number from 1 to 65535"
_HOST_PORT = "write a number from 1 to 65535, or leave it out for any that is free"
_SWITCH = "write true or false"
_PATCHES = "write a list of texts, each after '- |'"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Mount(_Strict):
    """A folder or file of the host's in a node."""

    host: _Text = Field(alias="hostPath", min_length=1, description="write a path on this machine")
    node: _Text = Field(alias="containerPath", min_length=1, description="write a path in the node")
    read_only: StrictBool = Field(False, alias="readOnly", description=_SWITCH)
    relabel: StrictBool = Field(False, alias="selinuxRelabel", description=_SWITCH)
    propagation: Literal["None", "HostToContainer", "Bidirectional"] = Field(
        "None", description="write None, HostToContainer or Bidirectional"
    )


class PortMapping(_Strict):
    """A port of the host's that leads to one of a node's."""

    node: Int = Field(alias="containerPort", ge=1, le=65535, description=_PORT)
    host: Int = Field(0, alias="hostPort", ge=-1, le=65535, description=_HOST_PORT)
    address: _Address = Field(
        "0.0.0.0",  # noqa: S104  what kind listens on when nothing is said
        alias="listenAddress",
        description="write an address of this machine, such as 127.0.0.1",
    )
    protocol: Annotated[Literal["TCP", "UDP", "SCTP"], BeforeValidator(_upper)] = Field(
        "TCP", description="write TCP, UDP or SCTP"
    )


class JsonPatch(_Strict):
    """A JSON patch (RFC 6902) of one of kubeadm's objects."""

    group: _Text = Field("", description="write an API group, such as kubeadm.k8s.io")
    version: _Text = Field("", description="write an API version, such as v1beta4")
    kind: _Text = Field(description="write the kind of the object, such as ClusterConfiguration")
    patch: _Text = Field(description="write a list of operations, after '|'")


class Node(_Strict):
    """A node, which is a container."""

    REMEDY: ClassVar = "write a mapping such as {role: worker}"

    role: Literal["control-plane", "worker"] = Field(
        "control-plane", description="write control-plane or worker"
    )
    image: _Text | None = Field(None, description="leave it out")
    labels: dict[_LabelKey, _LabelValue] = Field(
        {}, description="write a mapping of labels as Kubernetes takes them, such as {zone: a}"
    )
    mounts: list[Mount] = Field(
        [],
        alias="extraMounts",
        description="write a list of {hostPath: …, containerPath: …}",
    )
    ports: list[PortMapping] = Field(
        [], alias="extraPortMappings", description="write a list such as [{containerPort: 80}]"
    )
    patches: list[str] = Field([], alias="kubeadmConfigPatches", description=_PATCHES)
    json_patches: list[JsonPatch] = Field(
        [], alias="kubeadmConfigPatchesJSON6902", description="write a list of {kind: …, patch: …}"
    )


class Networking(_Strict):
    """The network that a cluster's nodes share."""

    family: Literal["ipv4", "ipv6", "dual"] = Field(
        "ipv4", alias="ipFamily", description="leave it out: IPv4 alone is supported"
    )
    api_port: Int = Field(0, alias="apiServerPort", ge=-1, le=65535, description=_HOST_PORT)
    api_address: _Address = Field(
        "127.0.0.1", alias="apiServerAddress", description="leave it out, or write 127.0.0.1"
    )
    pods: _Text = Field(alias="podSubnet", description="write a range such as 10.10.0.0/16")
    services: _Text = Field(alias="serviceSubnet", description="write a range such as 10.99.0.0/16")
    no_cni: StrictBool = Field(False, alias="disableDefaultCNI", description="write true")
    proxy_mode: Literal["iptables", "nftables", "ipvs", "none"] = Field(
        "iptables", alias="kubeProxyMode", description="write nftables"
    )
    dns_search: list[str] = Field([], alias="dnsSearch", description="write a list of domains")


class KindConfig(_Strict):
    """A cluster."""

    kind: Literal["Cluster"] = Field(description="write 'kind: Cluster'")
    api_version: Literal["kind.x-k8s.io/v1alpha4"] = Field(
        alias="apiVersion", description=f"write 'apiVersion: {API_VERSION}'"
    )
    name: _Text | None = Field(None, description="leave it out")
    nodes: list[Node] = Field([], description="write a list such as [{role: control-plane}]")
    networking: Networking = Field(
        description="write a mapping with podSubnet, serviceSubnet, kubeProxyMode: nftables and "
        "disableDefaultCNI: true"
    )
    gates: dict[str, StrictBool] = Field(
        {}, alias="featureGates", description="write a mapping to true or false"
    )
    runtime: dict[str, _Text] = Field(
        {}, alias="runtimeConfig", description="write a mapping such as {api/alpha: 'false'}"
    )
    patches: list[str] = Field([], alias="kubeadmConfigPatches", description=_PATCHES)
    json_patches: list[JsonPatch] = Field(
        [], alias="kubeadmConfigPatchesJSON6902", description="write a list of {kind: …, patch: …}"
    )
    containerd: list[str] = Field([], alias="containerdConfigPatches", description=_PATCHES)
    containerd_json: list[str] = Field(
        [], alias="containerdConfigPatchesJSON6902", description=_PATCHES
    )
