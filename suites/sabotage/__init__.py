"""The bench is tested itself: what is broken on purpose must be noticed, and named."""
