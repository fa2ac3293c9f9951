"""Kubernetes' client, and the errors of the library that connects it.

Each name is looked up when it is first used: to load them takes longer than to collect every
suite, and who lists tests, or reads a record, talks to no cluster. So they are imported here alone.
"""

from __future__ import annotations

from importlib import import_module
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

_PLACES = {
    "ConfigException": "kubernetes.config",
    "DynamicClient": "kubernetes.dynamic",
    "HTTPError": "urllib3.exceptions",
    "ResourceNotFoundError": "kubernetes.dynamic.exceptions",
    "load_kube_config": "kubernetes.config",
}


class _Keys:
    """Where the library is to make files of the keys and certificates that kubeconfigs hold as
    text: one folder of this process's own, which nobody else can enter, and which goes with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folder: TemporaryDirectory[str] | None = None

    def folder(self) -> str:
        """It is made when it is first asked for, and again once it was removed."""
        with self._lock:
            if self._folder is None:
                self._folder = TemporaryDirectory(prefix="meshproof-keys-")
            return self._folder.name

    def forget(self) -> None:
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None


_KEYS = _Keys()


def keys_folder() -> str:
    """For ``load_kube_config``'s ``temp_file_path``."""
    return _KEYS.folder()


def forget_keys() -> None:
    """Delete the files that the library has made of keys and certificates which kubeconfigs hold as
    text. They go of themselves where a process ends by itself, and not where that goes on as
    another program. Clients that were made before can make no new connections."""
    _KEYS.forget()


def __getattr__(name: str) -> Any:
    """What ``kubernetes.client`` calls so, or another part of the library. Raises AttributeError
    for what there is not."""
    if name.startswith("_"):  # what pytest looks for in whatever a test's module has imported
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The whole of it at once: threads that begin at two ends of it would wait for each other.
    import_module("kubernetes")
    return getattr(import_module(_PLACES.get(name, "kubernetes.client")), name)
