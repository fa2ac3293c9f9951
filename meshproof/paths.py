"""The two folders of the user's in which meshproof keeps artifacts and labs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def store_dir() -> Path:
    """The artifact store: shared by all runs of a user. ``MESHPROOF_STORE`` overrides it."""
    override = os.environ.get("MESHPROOF_STORE")
    return Path(override) if override else Path(platformdirs.user_cache_dir("meshproof"))


def state_dir() -> Path:
    """Labs that exist now and the subnets leased to them. ``MESHPROOF_STATE`` overrides it."""
    override = os.environ.get("MESHPROOF_STATE")
    return Path(override) if override else Path(platformdirs.user_state_dir("meshproof"))
