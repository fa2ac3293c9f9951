"""What the plugin keeps on pytest's configuration, for its own parts and the fixtures."""

from __future__ import annotations

import pytest

from meshproof.narrator import Narrator
from meshproof.run.labs import Labs
from meshproof.run.selection import Selection
from meshproof.run.session import Session

SELECTION = pytest.StashKey[Selection]()
"""What the run is asked for, and what that comes to."""
NARRATOR = pytest.StashKey[Narrator]()
"""Who tells the run."""
SESSION = pytest.StashKey[Session]()
"""The run's session, from the start."""
ROUND = "meshproof_round"
"""The parameter of a test that is judged several times: which time it is, as in "#2"."""
LABS = pytest.StashKey[Labs]()
"""The run's labs, once a test has asked for one."""
