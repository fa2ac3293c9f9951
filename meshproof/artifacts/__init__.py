"""Binaries and images by version: published, built from modules, or from an Istio checkout."""

from meshproof.artifacts.bundle import Bundle, Wanted
from meshproof.artifacts.catalog import Catalog, catalog, default_wanted
from meshproof.artifacts.checkout import checkout_version
from meshproof.artifacts.manage import Row, listing, prune
from meshproof.artifacts.provide import provide
from meshproof.artifacts.store import Store

__all__ = [
    "Bundle",
    "Catalog",
    "Row",
    "Store",
    "Wanted",
    "catalog",
    "checkout_version",
    "default_wanted",
    "listing",
    "provide",
    "prune",
]
