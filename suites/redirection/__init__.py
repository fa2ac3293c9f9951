"""What a sidecar redirects to its proxy, and what it lets pass."""
