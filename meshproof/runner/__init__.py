"""Runs the suites by pytest."""
