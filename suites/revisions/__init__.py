"""Control planes that have a revision's name."""
