"""How a cluster that is somebody else's is dealt with: how it is reached, and what is different of
what we make there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meshproof.errors import LabError
from meshproof.model import Capability
from meshproof.process import Finished, Shell

OWN_NAMESPACE = "meshproof-own"
"""The namespace that we have there from the beginning to the end: it is the lock, and holds what
probes the network."""
LAB_LABEL = "meshproof.io/lab"
"""What each object bears that we make in a cluster of somebody else's: the id of the lab."""
_OF_LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Foreign:
    """``context``: which of its kubeconfig's; ``folder``: where what is learnt of it may be kept,
    which is not beside the user's file; ``lab``: whose our objects are; ``server``: the URL by
    which other clusters reach its API server; ``images``: what stands for an image of ours there;
    ``namespaces``: those that we make, and have to do with; ``since``: when we have locked it, as
    its API server writes times, "" before that; ``has_our_istio``: whether an Istio that is there
    is of our making, as far as it is not older than that."""

    context: str
    folder: Path = field(repr=False)
    lab: str
    server: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    since: str = ""
    has_our_istio: bool = True

    def as_there(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """An object as it is made there: labelled as ours, with the images that its nodes can have.
        Changes nothing of what it is given."""
        found = deepcopy(dict(one))
        metadata = found.setdefault("metadata", {})
        metadata[_OF_LABELS] = {**(metadata.get(_OF_LABELS) or {}), LAB_LABEL: self.lab}
        self._replace_images(found)
        return found

    def _replace_images(self, value: object) -> None:
        """In each container, wherever its pod is described."""
        if isinstance(value, dict):
            image = value.get("image")
            if isinstance(image, str) and image in self.images:
                value["image"] = self.images[image]
            for inner in value.values():
                self._replace_images(inner)
        elif isinstance(value, list):
            for inner in value:
                self._replace_images(inner)


@dataclass(frozen=True, slots=True)
class NoNodes:
    """In the engine's place where nodes are nobody's containers here: it runs nothing on them."""

    shell: Shell

    def exec(
        self,
        container: str,
        argv: Sequence[str],
        *,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
        on_stderr_line: Callable[[str], None] | None = None,
    ) -> Finished:
        """Raises LabError: no program is run on node ``container``."""
        raise LabError(f"'{' '.join(argv[:2])}' {Capability.NODES.value}: {container} is none")
