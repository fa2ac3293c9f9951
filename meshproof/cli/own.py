"""Asks whoever sits there before clusters of theirs are changed."""

from __future__ import annotations

import sys
from dataclasses import replace

from meshproof.artifacts import unsupported
from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.kube import client
from meshproof.lab.own.lab import examine
from meshproof.model import RunRequest
from meshproof.process import Shell
from meshproof.run.own_clusters import consent
from meshproof.run.selection import Selection
from meshproof.run.session import Session


def agreed(request: RunRequest) -> RunRequest:
    """The request, once its clusters were looked at and somebody has agreed to their being changed,
    which --yes says from then on; as it is where it names no clusters. Changes nothing in them.

    Raises UsageError where nobody agrees, LabError where something in a cluster stands in the way.
    """
    selection = Selection(request)
    selection.check()
    clusters = selection.clusters
    if clusters is None:
        return request
    try:
        facts = examine(clusters.own, Shell())
    finally:
        client.forget_keys()  # this process goes on as pytest
    oldest = min(found.version for found in facts.values())
    if request.kubernetes not in (None, str(oldest)):
        raise UsageError(
            f"--kubernetes is {request.kubernetes}, and your clusters have {oldest}",
            "leave --kubernetes out",
        )
    istios = Session(selection.choices).wanted.istio
    for said in () if request.unsupported_kubernetes else unsupported(istios, oldest):
        remedy = "name another Istio by --istio, or add --unsupported-kubernetes"
        raise UsageError(said, remedy)
    for name, found in facts.items():
        where = f"Kubernetes {found.version}, pods {found.pods}, services {found.services}"
        say_line(f"Cluster {name}: {where}, API server at {found.api}", err=True)
    if not clusters.consented:
        ask = _ask if sys.stdin.isatty() else None
        request = replace(request, yes=consent(clusters.own, ask))
    return replace(request, kubernetes=str(oldest))


def _ask(question: str) -> str:
    say_line(question, err=True)
    return sys.stdin.readline()
