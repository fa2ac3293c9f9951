"""What a record's runs were made of: versions, proxies, deployments, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshproof.events import Data, Event
from meshproof.model import Policy
from meshproof.report.record import Record


@dataclass(frozen=True)
class About:
    """``began``, ``ended``: seconds since the epoch, of the first event and the last; ``bench``:
    versions of meshproof; ``proxies``: for each Istio which proxy; ``filters_off``: which
    of Istio's own filters that lacks; ``artifacts``: where they are
    from, and their digest; ``deployments``: the fields of each that tests ran on, else of each
    that was asked for; ``requests``: what was asked for, run by run."""

    began: float
    ended: float
    bench: tuple[str, ...]
    istio: tuple[str, ...]
    kubernetes: tuple[str, ...]
    engines: tuple[str, ...]
    proxies: Mapping[str, str]
    filters_off: tuple[str, ...]
    artifacts: Mapping[str, str]
    deployments: tuple[Data, ...]
    requests: tuple[Data, ...]

    @property
    def policy(self) -> Policy:
        """What known issues do to these runs: the strictest that any was asked for."""
        said = [one.get("known_issues") for one in self.requests]
        return Policy.FAIL if Policy.FAIL.value in said else Policy.ALLOW


def about(record: Record) -> About:
    """What the runs of a record were made of, each said once."""
    events = record.events
    begins = [event.data for event in events if event.kind == "run-begin"]
    made_of = [event.data for event in events if event.kind == "artifacts"]
    used = _distinct(event.data["deployment"] for event in events if event.kind == "test")
    asked = _distinct(one for begin in begins for one in begin.get("deployments", ()))
    engines = (f"{one['engine']['name']} {one['engine']['version']}" for one in made_of)
    deployments = used or asked
    istio = [version for one in deployments for version in one.get("istio", {}).values()]
    istio += [one["upgrade"]["to"] for one in deployments if one.get("upgrade")]
    return About(
        began=_first(events),
        ended=max((event.at for event in events), default=0.0),
        bench=_each(begin.get("meshproof", "") for begin in begins),
        istio=_each(istio),
        kubernetes=_each(one.get("kubernetes", "") for one in deployments),
        engines=_each(engines),
        proxies={istio: proxy for one in made_of for istio, proxy in one["proxies"].items()},
        filters_off=_each(name for one in made_of for name in one.get("filters_off", ())),
        artifacts={one["digest"]: one["source"] for one in made_of},
        deployments=deployments,
        requests=tuple(begin.get("request", {}) for begin in begins),
    )


def istio_of(deployment: Data) -> str:
    """The Istio of a deployment: its version, or each cluster's with its name, and the one that it
    is on the way to; "" of a bare lab."""
    versions, way = deployment.get("istio", {}), deployment.get("upgrade")
    if way:
        return f"{next(iter(versions.values()), '')} to {way['to']}"
    if len(set(versions.values())) <= 1:
        return next(iter(versions.values()), "")
    return ", ".join(f"{cluster} {version}" for cluster, version in versions.items())


def _first(events: Iterable[Event]) -> float:
    return min((event.at for event in events), default=0.0)


def _distinct(deployments: Iterable[Data]) -> tuple[Data, ...]:
    return tuple({one["id"]: one for one in deployments}.values())


def _each(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
