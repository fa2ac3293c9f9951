"""Which cluster's configuration counts."""
