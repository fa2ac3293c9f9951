"""Turns what libraries raise into errors of meshproof's own, where their world begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import DockerException
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from urllib3.exceptions import HTTPError

from meshproof.errors import LabError

_FOREIGN = (ApiException, ResourceNotFoundError, HTTPError, DockerException, OSError)


@contextmanager
def lab_errors(doing: str) -> Iterator[None]:
    """Raise LabError, naming what was being done, for what Kubernetes or the engine refuse."""
    try:
        yield
    except _FOREIGN as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise LabError(f"could not {doing}: {' '.join(said)[:400]}") from error
