"""Which requests a route takes: every kind of match, in one cluster and across."""
