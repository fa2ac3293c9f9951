"""The versions that a test's id names: istiods and proxies must say them themselves."""
