"""Trust between clusters: what a shared root is needed for."""
