"""Tokens of end users: which ones servers take, wherever the caller is."""
