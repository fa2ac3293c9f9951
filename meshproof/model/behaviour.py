"""Behaviours: what is claimed of a mesh, by an id that stays when its sentence is improved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from meshproof.errors import ModelError
from meshproof.nearest import choose

FEATURES: Mapping[str, str] = {
    "multi-network": "calls between clusters that reach each other by gateways alone",
    "flat-network": "calls between clusters whose pods reach each other",
    "isolation": "what the networks of the lab let through, and what they keep apart",
    "discovery": "which instances proxies know in every cluster, and how much each weighs",
    "routing": "rules that decide which version answers, and how it is called",
    "configuration": "which cluster's rules count, and for whose callers",
    "security": "who is encrypted, trusted, let in and turned away",
    "names": "where names resolve",
    "injection": "which sidecars pods get, and which of their calls those take",
    "telemetry": "what proxies count and trace of calls",
    "lifecycle": "how a mesh is removed",
    "federation": "meshes of their own that call each other",
    "machines": "virtual machines as part of a mesh",
    "hosts": "clusters that another one manages, and what it pushes to them",
    "change": "a mesh that is changed while it is used",
}
"""What behaviours are about, each with a sentence. Those without a behaviour yet are named so that
whoever adds the first one need not invent a word for it."""

_WORDS = "[a-z0-9]+(?:-[a-z0-9]+)*"
_ID = re.compile(f"{_WORDS}/{_WORDS}")
_LONGEST = 200


class Level(StrEnum):
    """Core: what users of every mesh of that shape rely on. Extended: what is finer, or costs more
    time than it is worth each time."""

    CORE = "core"
    EXTENDED = "extended"


class Profile(StrEnum):
    """Which levels a run judges."""

    CORE = "core"
    ALL = "all"

    def includes(self, level: Level) -> bool:
        """Whether behaviours of a level are judged."""
        return self is Profile.ALL or level is Level.CORE


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a test judges.

    ``id``: suite and a few words, as in "routing/header-decides", by which reports of two
    versions are compared; ``sentence``: what is claimed, for people; ``suite``: the folder that
    the test is in; ``feature``: one of FEATURES, "" where nobody has said.
    Raises ModelError for an id that is none, and for a feature that there is not.
    """

    id: str
    sentence: str
    suite: str
    level: Level = Level.CORE
    feature: str = ""

    def __post_init__(self) -> None:
        check_id(self.id)
        if self.feature and self.feature not in FEATURES:
            raise ModelError(
                f"the behaviour {self.id} is of the feature '{self.feature}', which there is not",
                choose(self.feature, FEATURES),
            )


def check_id(text: str) -> None:
    """Raise ModelError for what cannot be a behaviour's id."""
    if not _ID.fullmatch(text) or len(text) > _LONGEST:
        raise ModelError(
            f"'{text}' is no id of a behaviour",
            "write the suite, a slash and a few words in lower-case letters, digits and hyphens, "
            f"{_LONGEST} characters at most, as in routing/header-decides",
        )
