"""Names of the Multi-Cluster Services API: what clusters export, called as clusterset.local."""
