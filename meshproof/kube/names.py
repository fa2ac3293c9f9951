"""Asks a name server from a workload, and reads its answer to the letter.

A name that does not exist is NXDOMAIN; a server that refuses, fails or says nothing is
something else, and proves nothing about the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from meshproof.kube.workload import Workload

# perl, which every Debian has, since shells cannot send null bytes.
_ASK = (
    "use IO::Socket::INET; my ($server, $wire, $patience) = @ARGV;"
    'my $socket = IO::Socket::INET->new(PeerAddr => $server, PeerPort => 53, Proto => "udp")'
    ' or die "no socket"; $socket->send(pack("H*", $wire)); $SIG{ALRM} = sub { exit 3 };'
    'alarm($patience); my $answer; $socket->recv($answer, 4096); print unpack("H*", $answer);'
)
_PATIENCE = 3


@dataclass(frozen=True, slots=True)
class NameAnswer:
    """What a name server said: a response code such as "NOERROR", and the A records.

    ``code`` is "SILENCE" when nothing came back.
    """

    code: str
    addresses: tuple[IPv4Address, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the name has an address."""
        return self.code == "NOERROR" and bool(self.addresses)

    def __str__(self) -> str:
        return f"{self.code} {', '.join(map(str, self.addresses))}".strip()


def ask_name(workload: Workload, name: str, server: IPv4Address) -> NameAnswer:
    """Ask ``server`` from ``workload`` for the A records of ``name``, taken as fully qualified."""
    query = dns.message.make_query(name.rstrip(".") + ".", dns.rdatatype.A)
    asked = workload.run_from_node(
        "perl", "-e", _ASK, str(server), query.to_wire().hex(), str(_PATIENCE), check=False
    )
    if asked.returncode != 0 or not asked.stdout:
        return NameAnswer("SILENCE")
    try:
        answer = dns.message.from_wire(bytes.fromhex(asked.stdout))
    except (ValueError, dns.exception.DNSException):
        return NameAnswer("GARBLED")
    records = [
        IPv4Address(str(record))
        for group in answer.answer
        if group.rdtype == dns.rdatatype.A
        for record in group
    ]
    return NameAnswer(dns.rcode.to_text(answer.rcode()), tuple(sorted(records)))
