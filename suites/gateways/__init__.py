"""The SNI gateway: what it passes on unread, what it refuses, and who decides instead of it."""
