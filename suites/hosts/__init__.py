"""A host that manages members: what it pushes to whom, and what they are without it."""
