"""A host that manages member clusters: what it does that by, whom it lets push what, and how its
members are known to it."""
