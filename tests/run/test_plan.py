"""The plan: who gets what next."""

from __future__ import annotations

from meshproof.run.plan import Plan, Unit

A1, A2, A3 = (Unit("a", (f"a{n}.1", f"a{n}.2")) for n in (1, 2, 3))
B1, B2 = (Unit("b", (f"b{n}.1", f"b{n}.2")) for n in (1, 2))


def test_a_worker_stays_with_its_footprint_then_takes_the_next_whole_one() -> None:
    plan = Plan([A1, B1, A2, B2])
    assert [plan.take("one") for _ in range(4)] == [A1, A2, B1, B2]
    assert plan.is_empty
    assert plan.take("one") is None
    assert not plan.expects("one")


def test_two_workers_begin_with_a_footprint_each() -> None:
    plan = Plan([A1, A2, B1, B2])
    assert (plan.take("one"), plan.take("two")) == (A1, B1)
    assert (plan.take("one"), plan.take("two")) == (A2, B2)


def test_the_footprint_with_the_most_to_do_is_begun_first() -> None:
    plan = Plan([A1, B1, B2])
    assert (plan.take("one"), plan.take("two")) == (B1, A1)


def test_the_longest_comes_first_and_others_take_the_shortest() -> None:
    short, middle, long = Unit("a", ("s",)), Unit("a", ("m1", "m2")), Unit("a", ("l1", "l2", "l3"))
    plan = Plan([A1, short, middle, long])
    plan.take("one")
    plan.note("one", "a1.1", set_up=True)
    assert (plan.take("one"), plan.take("two"), plan.take("one")) == (long, short, middle)


def test_a_footprint_that_has_not_come_up_yet_is_waited_for() -> None:
    plan = Plan([A1, A2, A3])
    plan.take("one")
    assert plan.take("two") is None
    assert plan.expects("two")
    plan.note("one", "a1.1", set_up=True)
    assert plan.take("two") == A3
    assert plan.take("one") == A2
    assert not plan.expects("two")


def test_a_footprint_that_did_not_come_up_is_left_to_who_has_found_out() -> None:
    plan = Plan([A1, A2])
    plan.take("one")
    plan.note("one", "a1.1", set_up=False)
    assert plan.take("two") is None
    assert plan.take("one") == A2
    assert not plan.expects("two")


def test_who_has_lost_a_lab_leaves_the_rest_to_one_that_stands() -> None:
    plan = Plan([A1, A2, A3, B1])
    plan.take("one")
    plan.note("one", "a1.1", set_up=True)
    assert plan.take("two") == B1
    plan.note("two", "b1.1", set_up=True)
    assert plan.take("two") == A3
    plan.note("two", "a3.1", set_up=False)
    assert plan.take("two") is None
    assert not plan.expects("two")
    assert plan.take("one") == A2


def test_what_was_given_out_before_says_nothing_of_the_clusters_after() -> None:
    long = Unit("a", ("1", "2", "3", "4"))
    plan = Plan([long, B1, B2])
    assert (plan.take("one"), plan.take("one")) == (long, B1)  # the last of "a" is still to be run
    plan.note("one", "4", set_up=True)
    assert plan.take("two") is None
    plan.note("one", "b1.1", set_up=True)
    assert plan.take("two") == B2


def test_what_a_worker_leaves_undone_is_given_out_again() -> None:
    plan = Plan([A1, A2])
    plan.take("one")
    plan.take("one")
    plan.leave("one", ["a1.2", *A2.tests])
    assert plan.take("two") == Unit("a", ("a1.2",))
    assert plan.take("two") == A2
