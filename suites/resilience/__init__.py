"""What callers do about servers that fail or are slow, and errors and latency that are injected."""
