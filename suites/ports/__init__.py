"""Ports beside the one for HTTP: plain TCP, and rules for one port alone."""
