"""Asks a name server from a workload, and reads its answer to the letter.

A name that does not exist is NXDOMAIN; a server that refuses, fails or says nothing is
something else, and proves nothing about the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from meshproof.kube.asking import Failed, ask, question
from meshproof.kube.workload import Workload

_DNS = 53
_PATIENCE = 6.0


@dataclass(frozen=True, slots=True)
class NameAnswer:
    """What a name server said: a response code such as "NOERROR", the A records, and the names
    that the one asked for is said to stand for (CNAME records), each without the dot at its end.

    ``code`` is "SILENCE" when nothing came back, "UNREACHABLE" when there was no way to the
    server, or nobody listened there.
    """

    code: str
    addresses: tuple[IPv4Address, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the name has an address."""
        return self.code == "NOERROR" and bool(self.addresses)

    def __str__(self) -> str:
        return f"{self.code} {', '.join(map(str, self.addresses))}".strip()


def ask_name(workload: Workload, name: str, server: IPv4Address) -> NameAnswer:
    """Ask ``server`` from ``workload`` for the A records of ``name``, taken as fully qualified.

    Raises as ``asking.ask``.
    """
    # Loaded when a name is asked for: who lists tests asks for none.
    import dns.exception
    import dns.message
    import dns.rcode
    import dns.rdatatype

    query = dns.message.make_query(name.rstrip(".") + ".", dns.rdatatype.A)
    reply = ask(workload, question("udp", server, _DNS, query.to_wire(), _PATIENCE))
    if reply.failure is not None:
        silent = reply.failure.kind is Failed.SILENCE
        return NameAnswer("SILENCE" if silent else "UNREACHABLE")
    try:
        answer = dns.message.from_wire(reply.payload)
    except dns.exception.DNSException:
        return NameAnswer("GARBLED")
    records = [
        IPv4Address(str(record))
        for group in answer.answer
        if group.rdtype == dns.rdatatype.A
        for record in group
    ]
    aliases = [
        str(record.target).rstrip(".")
        for group in answer.answer
        if group.rdtype == dns.rdatatype.CNAME
        for record in group
    ]
    code = dns.rcode.to_text(answer.rcode())
    return NameAnswer(code, tuple(sorted(records)), tuple(aliases))
