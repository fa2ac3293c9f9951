"""Reads what the account in a remote secret should be able to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from meshproof.mesh.account import Right, rights_of
from meshproof.model import Member, Role

_LISTED = Path(__file__).with_name("reader_role.yaml")


@dataclass(frozen=True)
class Expectation:
    """``user``: whose token a remote secret should have; ``rights``: what it should be able to
    do, in every namespace."""

    user: str
    rights: frozenset[Right]


def expectation_for(member: Member) -> Expectation:
    """What is expected of the account of a cluster."""
    listed = yaml.safe_load(_LISTED.read_text(encoding="utf-8"))
    parts = ["reader", "everyone"] + (["remote"] if member.role is Role.REMOTE else [])
    rules = [rule for part in parts for rule in listed[part]]
    return Expectation(listed["account"], rights_of(rules))
