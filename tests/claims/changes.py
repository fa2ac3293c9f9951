"""What is done to calls, to logs and to the wire, so that a claim does not hold, or cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from meshproof.mesh.operator_config import ACCESS_LOG
from tests.claims.table import Doing, Stage
from tests.claims.world import Came, Change
from tests.doubles.asked import RESET
from tests.doubles.calls import Call

When = Callable[[Call], bool]


def always(_: Call) -> bool:
    return True


def by_sidecars(call: Call) -> bool:
    return call.caller.sidecar


def first(call: Call) -> bool:
    """The first call that each caller makes."""
    return call.number == 0


def changed(change: Change, when: When = always) -> Doing:
    """Something is done to what comes of some calls."""

    def done(stage: Stage) -> None:
        stage.world.changes.append(lambda call, came: change(call, came) if when(call) else came)

    return done


def unlogged(when: When = by_sidecars) -> Doing:
    """The caller's proxy logs no line."""
    return changed(lambda _, came: replace(came, line=None), when)


def logged(when: When = by_sidecars, **fields: object) -> Doing:
    """The caller's proxy logs something else."""
    return changed(lambda _, came: came.logged(**fields) if came.line else came, when)


def retried(when: When = first) -> Doing:
    """The caller's proxy has sent a call twice."""
    return logged(lambda call: call.caller.sidecar and when(call), attempts=2)


def unheard(when: When = always) -> Doing:
    """Nobody but the caller's proxy logs a line."""
    return changed(lambda _, came: replace(came, heard=()), when)


def unseen(when: When = by_sidecars) -> Doing:
    """The wire sees nothing of the calls."""
    return changed(lambda _, came: replace(came, crossed=()), when)


def seen_as(kind: str, when: When = by_sidecars) -> Doing:
    """The wire sees another kind of segments."""

    def other(_: Call, came: Came) -> Came:
        return replace(came, crossed=tuple((at, kind, flow) for at, _, flow in came.crossed))

    return changed(other, when)


def failing(status: int, flags: str, details: str, when: When = first) -> Doing:
    """Calls end with a status, at the caller's own proxy."""

    def done(stage: Stage) -> None:
        fail = stage.world.failed
        changed(lambda call, _: fail(call, status, flags, details), when)(stage)

    return done


def cut_off(when: When = first) -> Doing:
    """Calls end without an answer: the connection is reset."""
    return changed(lambda _, came: replace(came, reply=RESET, server=None), when)


def answering(*versions: str, when: When = by_sidecars) -> Doing:
    """Only some versions answer."""

    def done(stage: Stage) -> None:
        pods = stage.world.servers(*versions)
        before = stage.world.chosen
        stage.world.chosen = lambda call, known: pods if when(call) else before(call, known)

    return done


def after(*doings: Doing) -> Doing:
    """One thing after the other."""

    def done(stage: Stage) -> None:
        for one in doings:
            one(stage)

    return done


def forbidden(policy: str, path: str = "", **line: object) -> Doing:
    """The server's proxy refuses calls of a path, and logs whom and why."""

    def done(stage: Stage) -> None:
        world = stage.world

        def refuse(call: Call, came: Came) -> Came:
            assert came.server is not None
            details = f"rbac_access_denied_matched_policy[{policy}]"
            peer = world.identity(call.caller)
            theirs = {"request_id": call.id, "status": 403, "details": details, "peer": peer} | line
            reply = replace(came.reply, status=403, body="RBAC: access denied")
            heard = ((came.server, dict.fromkeys(ACCESS_LOG) | theirs),)
            return replace(came.logged(status=403), reply=reply, heard=heard)

        changed(refuse, lambda call: call.path == path or not path)(stage)

    return done
