"""What runs in the clusters so that something can be asked of them."""

from meshproof.workloads.echo import Echo, deploy_echo

__all__ = ["Echo", "deploy_echo"]
