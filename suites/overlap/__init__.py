"""Addresses that mean something in more than one cluster."""
