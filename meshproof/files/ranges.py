"""The ranges in a kind configuration: what kubeadm takes, and what can be routed in a lab.

kubeadm's own limits are from its validation (cmd/kubeadm/app/apis/kubeadm/validation and
app/constants of Kubernetes).
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network

from meshproof.errors import UsageError
from meshproof.files.document import At, Document, shown
from meshproof.files.schema import dotted

PODS: At = ("networking", "podSubnet")
SERVICES: At = ("networking", "serviceSubnet")

_RANGE = re.compile(r"[0-9.]+(/[0-9]{1,2})?")  # int() takes blanks and "1_6" as well
_TAKEN = {
    "0.0.0.0/8": "which stands for no address",
    "127.0.0.0/8": "which is every machine's own (loopback)",
    "169.254.0.0/16": "which is never routed (link-local)",
    "224.0.0.0/4": "which is for multicast",
    "240.0.0.0/4": "which is reserved (class E, where Istio's automatic addresses are)",
}
# kubeadm: PodSubnetNodeMaskMaxDiff, and MaximumBitsForServiceSubnet (20).
_MOST_NODE_BITS = 16
_LARGEST_SERVICES = 12
# kubeadm asks for ten addresses: the first is kubernetes', the tenth the DNS server's. A mesh,
# its sample and what the suites add are about fifteen Services more.
_SMALLEST_SERVICES = 27
# A node runs istiod, gateways, the sample and what the suites add: up to some thirty pods.
_SMALLEST_NODE = 26


def read_pods(document: Document, text: str, nodes: int, mask: int) -> IPv4Network:
    """The range of pods, of which each of ``nodes`` gets a range of prefix length ``mask``.

    Raises UsageError when it cannot be used.
    """
    network = _range(document, PODS, text)
    name, share = dotted(PODS), f"a /{mask} for each of its {nodes} nodes"
    if nodes == 1:
        share = f"a /{mask} for its node"
    if mask > _SMALLEST_NODE:
        cause = f"a /{mask} (node-cidr-mask-size) has too few addresses for a node's pods"
        raise document.error(PODS, cause, f"patch in {_SMALLEST_NODE} or less")
    wanted = mask - (nodes - 1).bit_length()
    if network.prefixlen > wanted:
        cause = f"{name} {network} is too small, as kubeadm takes {share} from it"
        raise document.error(PODS, cause, f"write at least a /{wanted}, such as 10.10.0.0/16")
    if mask - network.prefixlen > _MOST_NODE_BITS:
        cause = f"{name} {network} is too large for kubeadm, which takes {share} from it"
        raise document.error(PODS, cause, f"write at most a /{mask - _MOST_NODE_BITS}")
    return network


def read_services(document: Document, text: str) -> IPv4Network:
    """The range of Services. Raises UsageError when it cannot be used."""
    network, name = _range(document, SERVICES, text), dotted(SERVICES)
    if network.prefixlen > _SMALLEST_SERVICES:
        cause = (
            f"{name} {network} is too small for Kubernetes' own Services, the mesh's and "
            f"those of the suites"
        )
        raise document.error(SERVICES, cause, f"write at least a /{_SMALLEST_SERVICES}")
    if network.prefixlen < _LARGEST_SERVICES:
        cause = f"{name} {network} is larger than Kubernetes takes"
        raise document.error(SERVICES, cause, f"write at most a /{_LARGEST_SERVICES}")
    return network


def _range(document: Document, at: At, text: str) -> IPv4Network:
    """The range that a text is, in the one way in which kind, kubeadm and nft read it."""
    network = _parse(document, at, text)
    for taken, what in _TAKEN.items():
        if network.overlaps(IPv4Network(taken)):
            cause = f"{dotted(at)} {network} overlaps {taken}, {what}"
            raise document.error(at, cause, "write a private range such as 10.10.0.0/16")
    return network


def _parse(document: Document, at: At, text: str) -> IPv4Network:
    def wrong(cause: str, remedy: str = "write one such as 10.10.0.0/16") -> UsageError:
        return document.error(at, f"{dotted(at)} {cause}", remedy)

    if "," in text:
        raise wrong("gives several ranges", "write one, as IPv4 alone is supported")
    if ":" in text:
        raise wrong(f"{shown(text)} is an IPv6 range", "write an IPv4 range, the kind supported")
    no_range = wrong(f"{shown(text)} is no range of IPv4 addresses")
    if not _RANGE.fullmatch(text):
        raise no_range
    address, slash, prefix = text.partition("/")
    try:
        first = IPv4Address(address)
        network = IPv4Network((first, int(prefix) if slash else 32), strict=False)
    except ValueError:
        raise no_range from None
    if not slash:
        larger = IPv4Network((first, 16), strict=False)
        raise wrong(f"{text} has no prefix length", f"write it as in {larger}")
    if first != network.network_address:
        raise wrong(f"{text} does not begin where its range does", f"write {network}")
    return network
