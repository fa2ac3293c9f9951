"""Mutual TLS: between sidecars always, for everybody else as the mode says."""
