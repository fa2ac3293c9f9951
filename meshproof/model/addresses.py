"""The addresses that the lab takes for itself: whatever else has addresses stays clear of them."""

from __future__ import annotations

from ipaddress import IPv4Network

POOL = IPv4Network("172.30.0.0/16")
"""What the networks of all labs on a machine are taken from, a /24 each."""
MOST_NODES = 120
"""How many nodes a cluster can have: its network's lower half is theirs (126 addresses), and the
engine keeps some of it."""
