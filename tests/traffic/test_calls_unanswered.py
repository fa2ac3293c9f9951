"""curl's account of a call is read also when the call got no answer."""

from __future__ import annotations

from meshproof.traffic import calls


def test_the_status_of_a_call_without_an_answer_is_read() -> None:
    shown = (calls._SHOWN % "mp-1").replace("%{http_code}", "000")
    shown = shown.replace("%{exitcode}", "6").replace("%{time_total}", "0.01")
    printed = f"{calls._MARK}{shown}{calls._SAID}Could not resolve host{calls._MARK}\n"
    account, body = calls._results(printed)["mp-1"]
    assert (int(account["status"]), account["exit"], body) == (0, 6, "")
