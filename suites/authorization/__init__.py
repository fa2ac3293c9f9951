"""Whom servers let in: by namespace, in which order rules count, and for whom."""
