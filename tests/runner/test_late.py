"""Tests that turn out not to apply when their mesh is there are ended, and are no skips."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.runner.late import does_not_apply, leave_out


def test_who_is_left_out_is_ended_and_does_not_apply() -> None:
    item: Any = SimpleNamespace(stash=pytest.Stash())
    assert not does_not_apply(item)
    with pytest.raises(pytest.skip.Exception, match="sleep has rejected Listener"):
        leave_out(item, "needs other proxies, and sleep has rejected Listener")
    assert does_not_apply(item)
