"""The way that each request takes."""
