"""Carries out a plan among the workers of pytest-xdist.

This implements xdist's public ``Scheduling`` and derives from none of its schedulers. Those go
by node ids, from which what a test stands on would have to be read again; ``loadgroup`` does
put a group's name there, but not so that it is kept with pytest 9.1 and later; they give out the
next group in a row, whoever has which clusters; and a test during which a worker died is run
again by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from meshproof.run.plan import Plan

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

# A worker begins with a test only when it knows the one after it, or that there is none: what it
# tears down depends on it. So it gets more to do when one is left, not when none is.
_LEAST = 1


class Scheduler:
    """Sends each worker the units that ``plan`` has for it. ``workers``: how many will come."""

    def __init__(self, plan: Plan, workers: int) -> None:
        self._plan = plan
        self._workers = workers
        self._begun = False
        self._collected: dict[WorkerController, list[str]] = {}
        self._pending: dict[WorkerController, list[str]] = {}

    @property
    def nodes(self) -> list[WorkerController]:
        """The workers that are there."""
        return list(self._pending)

    @property
    def collection_is_completed(self) -> bool:
        """Whether all workers have said which tests they found."""
        return len(self._collected) >= self._workers

    @property
    def tests_finished(self) -> bool:
        """Whether no worker needs to be given anything any more."""
        done = all(len(tests) <= _LEAST for tests in self._pending.values())
        return self._begun and self._plan.is_empty and done

    @property
    def has_pending(self) -> bool:
        """Whether there are tests that were not run yet."""
        return not self._plan.is_empty or any(self._pending.values())

    def add_node(self, node: WorkerController) -> None:
        """A worker has started."""
        self._pending[node] = []

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """A worker has found these tests. Raises ValueError unless they are those of the plan."""
        others = sorted(self._plan.tests.symmetric_difference(collection))
        if others:
            raise ValueError(f"worker {node.gateway.id} did not find the same tests: {others[:3]}")
        self._collected[node] = list(collection)

    def schedule(self) -> None:
        """All workers are there, or one more has come: begin, or go on."""
        self._begun = True
        self._give_out()

    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        """A worker has run a test."""
        self._pending[node].remove(self._collected[node][item_index])
        self._give_out()

    def remove_node(self, node: WorkerController) -> str | None:
        """A worker is no more; returns the test that it died in, if it did.

        That test is not tried again: what it has left behind may be the reason.
        Raises KeyError for a worker that never got here.
        """
        pending = self._pending.pop(node)
        self._plan.leave(node.gateway.id, pending[1:])
        self._give_out()
        return pending[0] if pending else None

    def mark_test_pending(self, item: str) -> NoReturn:
        """Asked for by plugins that run tests again; nothing here is run twice."""
        raise NotImplementedError

    def remove_pending_tests_from_node(
        self, node: WorkerController, indices: Sequence[int]
    ) -> NoReturn:
        """Follows stealing, which this scheduler does not do."""
        raise NotImplementedError

    def _give_out(self) -> None:
        """Give workers that run out of tests their next unit, those that have least first."""
        while self._begun and any(self._serve(node) for node in self._hungry()):
            pass

    def _hungry(self) -> list[WorkerController]:
        found = [
            node
            for node, tests in self._pending.items()
            if len(tests) <= _LEAST and node in self._collected and not node.shutting_down
        ]
        return sorted(found, key=lambda node: len(self._pending[node]))

    def _serve(self, node: WorkerController) -> bool:
        """Send a worker its next unit, if there is one; let it go if there will be none."""
        unit = self._plan.take(node.gateway.id)
        if unit is not None:
            self._pending[node].extend(unit.tests)
            found = self._collected[node]
            node.send_runtest_some([found.index(test) for test in unit.tests])
        elif not self._plan.expects(node.gateway.id):
            node.shutdown()
        return unit is not None
