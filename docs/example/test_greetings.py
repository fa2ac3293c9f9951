"""Greetings, as users of ours need them: every version answers, whoever calls."""

from meshproof.expect import answered_from_home
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.calls import Plan, call


@behaviour("greetings/from-everywhere", feature="discovery")
def test_greetings_come_from_everywhere(sample, caller, judge):
    """Of forty greetings none is lost, and every version gives some."""
    responses = call(sample, sample.caller(caller), Plan(times=40))
    judge(answered_from_home(responses, sample.reached_from(caller)))
