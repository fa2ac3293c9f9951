"""The program ``probe`` as workloads run it: reads questions, prints what a test makes of each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields

from meshproof.kube.asking import Failed, Failure, Question, Reply
from meshproof.process import Finished

RESET = Reply(failure=Failure(Failed.BROKEN, "read: connection reset by peer"))


def answered(
    argv: Sequence[str], input: str | None, reply: Callable[[Question], Reply]
) -> Finished:
    """What the program prints when each question gets this reply."""
    assert tuple(argv) == ("probe", "ask"), f"nobody plays {argv}"
    assert input is not None
    lines = input.split("\n")
    assert lines[-2:] == ["", ""], "an empty line ends the questions"
    printed = "".join(_line(reply(_question(one))) for one in lines[:-2])
    return Finished(tuple(argv), 0, printed, "", 0.0)


def _question(line: str) -> Question:
    told = json.loads(line)
    assert set(told) == {one.name for one in fields(Question)}
    payload, protocols = base64.b64decode(told["payload"]), tuple(told["protocols"])
    return Question(**{**told, "payload": payload, "protocols": protocols})


def _line(reply: Reply) -> str:
    told = asdict(reply) | {
        "failure": asdict(reply.failure) | {"kind": reply.failure.kind.value}
        if reply.failure
        else None,
        "payload": base64.b64encode(reply.payload).decode(),
        "chain": [base64.b64encode(one).decode() for one in reply.chain],
    }
    return json.dumps(told) + "\n"
