"""Tests of a host and what it manages members by."""
