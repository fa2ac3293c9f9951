"""Binaries and images by version: published, built from modules, or from an Istio checkout."""

from meshproof.artifacts.bundle import Bundle, Helm, OwnBuild, OwnBuilds, Wanted
from meshproof.artifacts.catalog import (
    Catalog,
    catalog,
    default_wanted,
    istio_version,
    kubernetes_version,
)
from meshproof.artifacts.checkout import check_tree, checkout_version
from meshproof.artifacts.helm import check_charts
from meshproof.artifacts.host import HostArtifacts, provide_host
from meshproof.artifacts.kwok import provide_kwok
from meshproof.artifacts.machine import MachineArtifacts, Package
from meshproof.artifacts.manage import TAG, Row, listing, prunable, prune, remove_rows
from meshproof.artifacts.older import mark_older_store
from meshproof.artifacts.provide import (
    SOURCES,
    check_wanted,
    provide,
    provide_for_clusters,
    provide_machines,
)
from meshproof.artifacts.store import Store
from meshproof.artifacts.support import unsupported

__all__ = [
    "SOURCES",
    "TAG",
    "Bundle",
    "Catalog",
    "Helm",
    "HostArtifacts",
    "MachineArtifacts",
    "OwnBuild",
    "OwnBuilds",
    "Package",
    "Row",
    "Store",
    "Wanted",
    "catalog",
    "check_charts",
    "check_tree",
    "check_wanted",
    "checkout_version",
    "default_wanted",
    "istio_version",
    "kubernetes_version",
    "listing",
    "mark_older_store",
    "provide",
    "provide_for_clusters",
    "provide_host",
    "provide_kwok",
    "provide_machines",
    "prunable",
    "prune",
    "remove_rows",
    "unsupported",
]
