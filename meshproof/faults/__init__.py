"""Faults: one thing is broken on purpose, and healed at the end."""
