"""A host that manages members: what it pushes to whom, what it says of them, and what they are
without it."""
