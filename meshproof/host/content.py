"""What a tenant has in the host's source: objects for all of its members, and for each member what
it has besides, or in another shape. Packed as the controllers unpack it.

Each member's folder is an overlay over the common base, as
https://kubectl.docs.kubernetes.io/references/kustomize/ has it.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from meshproof.kube.objects import Object

_BASE, _OWN, _INDEX = "base", "objects.yaml", "kustomization.yaml"
_KIND = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


@dataclass(frozen=True)
class Overlay:
    """What one member has: beside what all have, ``objects`` of its own; ``overrides``: parts of
    objects that it has in another shape, each with kind and name, as a strategic merge patch;
    ``manifests``: by name, further objects as some program has written them, which stay as they
    are."""

    objects: Sequence[Object] = ()
    overrides: Sequence[Object] = ()
    manifests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """What a tenant's source says. ``base``: for all of its members; ``members``: by name, what is
    for one alone; ``raw``: files by their path that stand for themselves, in place of what would be
    written there."""

    base: Sequence[Object]
    members: Mapping[str, Overlay]
    raw: Mapping[str, str] = field(default_factory=dict)

    def due(self, member: str) -> list[Object]:
        """The objects that a member should have, but for those of manifests, in the shape that it
        should have them in, as far as overrides of mappings go. Raises KeyError for a member that
        it has nothing for."""
        overlay = self.members[member]
        patches = {_identity(one): one for one in overlay.overrides}
        shaped = [_merged(one, patches.get(_identity(one), {})) for one in self.base]
        return [*shaped, *overlay.objects]

    def files(self) -> dict[str, str]:
        """The source's files by path."""
        found: dict[str, str] = {}
        shared = [f"../{_BASE}"] if self.base else []
        if self.base:
            found[f"{_BASE}/{_OWN}"] = _documents(self.base)
            found[f"{_BASE}/{_INDEX}"] = _index([_OWN], ())
        for member, overlay in self.members.items():
            if overlay.objects:
                found[f"{member}/{_OWN}"] = _documents(overlay.objects)
            own = [_OWN] if overlay.objects else []
            for name, text in overlay.manifests.items():
                found[f"{member}/{name}.yaml"] = text
                own.append(f"{name}.yaml")
            found[f"{member}/{_INDEX}"] = _index([*shared, *own], overlay.overrides)
        return {**found, **self.raw}

    def packed(self) -> bytes:
        """All files in one archive, the same for the same content."""
        packed = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as squeezed,
            tarfile.open(fileobj=squeezed, mode="w", format=tarfile.GNU_FORMAT) as tar,
        ):
            for path, text in sorted(self.files().items()):
                info = tarfile.TarInfo(path)
                data = text.encode()
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
        return packed.getvalue()


def _index(resources: Sequence[str], overrides: Sequence[Object]) -> str:
    patches = [{"patch": yaml.safe_dump(one)} for one in overrides]
    more = {"patches": patches} if patches else {}
    return yaml.safe_dump({**_KIND, "resources": list(resources), **more})


def _documents(objects: Sequence[Object]) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False)


def _identity(one: Object) -> tuple[str, str, str]:
    metadata = one["metadata"]
    return one["kind"], metadata.get("namespace", ""), metadata["name"]


def _merged(one: Any, patch: Any) -> Any:
    if not isinstance(one, dict) or not isinstance(patch, dict):
        return patch
    return {**one, **{key: _merged(one.get(key), value) for key, value in patch.items()}}
