"""The lab of clusters of one's own: locked while it is used, probed before anything is installed,
and left as they were."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from meshproof.errors import LabError, UsageError
from meshproof.events import Recorder
from meshproof.kube.cluster import RunningCluster, api_client
from meshproof.kube.dns import dns_address
from meshproof.kube.foreign import OWN_NAMESPACE, Foreign, NoNodes
from meshproof.kube.names import ask_name
from meshproof.kube.objects import delete
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload
from meshproof.lab.base import Lab
from meshproof.lab.own.addresses import LateAddresses
from meshproof.lab.own.facts import Facts, check_distinct, facts_of
from meshproof.lab.own.network import deploy_probe, differences, probe_network
from meshproof.lab.own.rights import check_rights
from meshproof.lab.own.there import (
    NAMESPACES,
    check_free,
    has_others_istio,
    holder_of,
    lock,
    locked_since,
)
from meshproof.lab.ownership import Claim, Description, new_id
from meshproof.model import Capability, Footprint, Wiring
from meshproof.model.own_cluster import OwnCluster, OwnClusters
from meshproof.process import Shell, side_by_side
from meshproof.wait import eventually

_KNOWN, _UNKNOWN = "kubernetes.default.svc.cluster.local.", "nobody.default.svc.cluster.local."
_GONE_WITHIN = 300.0
"""Seconds that a namespace may take to go: with it goes a load balancer, somewhere else."""


def examine(own: Sequence[OwnCluster], shell: Shell) -> dict[str, Facts]:
    """What clusters say of themselves, by their names, when nothing stands in the way: they answer,
    are as many as they seem, hold no Istio and nothing of another run, and let us do what we have
    to. Changes nothing. Raises LabError or UsageError, one sentence."""

    def of(one: OwnCluster) -> Facts:
        api = api_client(one.kubeconfig, one.context)
        found = facts_of(one, api)
        check_free(one.name, api)
        check_rights(one.name, api)
        return found

    facts = dict(zip([one.name for one in own], side_by_side(shell, of, own), strict=True))
    check_distinct(facts)
    return facts


class KubeconfigLab(Lab):
    """Made by ``create``, or for clusters in which a run was killed by ``left_by``. As a context
    manager it ends with all that we made in the clusters."""

    # Proxies are asked themselves, once they are known.
    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.ISTIO_FILTERS})
    shared: ClassVar[bool] = True

    def __init__(
        self,
        claim: Claim,
        footprint: Footprint,
        clusters: Mapping[str, RunningCluster],
        recorder: Recorder,
        shell: Shell,
    ) -> None:
        self.claim = claim
        self.footprint = footprint
        self.recorder = recorder
        self.clusters = dict(clusters)
        self.machines = {}
        self.kept = False
        self._shell = shell
        self._addresses = {name: LateAddresses(one) for name, one in clusters.items()}
        self._probes: dict[str, PodWorkload] = {}

    @classmethod
    def create(
        cls, given: OwnClusters, asked: Footprint, wiring: Wiring, recorder: Recorder
    ) -> KubeconfigLab:
        """Lock the clusters of these names, and see that their network is as ``wiring`` says.

        ``asked``: the clusters as a topology describes them, with its ranges. Raises UsageError
        where nobody has agreed to their being changed, or they are not as it says; LabError where
        something stands in the way. Nothing of ours is left then.
        """
        own = given.named(asked.names)
        if not given.consented:
            raise UsageError(
                f"nobody has agreed to a mesh in {', '.join(asked.names)}",
                f"add '--yes {','.join(asked.names)}'",
            )
        shell = Shell(recorder)
        with recorder.step("look at the clusters"):
            facts = examine(own, shell)
        real = Footprint(
            tuple(facts[name].cluster(name) for name in asked.names),
            min(found.version for found in facts.values()),
        )
        check_ranges(asked, real, wiring)
        if real.kubernetes != asked.kubernetes:
            told = f"the oldest Kubernetes of the clusters is {real.kubernetes}, and this run is"
            recorder.emit("notice", text=f"{told} recorded as one on {asked.kubernetes}")
        claim = Claim(new_id())
        claim.take()
        running = {
            one.name: _running(one, claim, real, facts[one.name].api, given.images, shell)
            for one in own
        }
        lab = cls(claim, real, running, recorder, shell)
        lab.wiring = wiring
        try:
            claim.write(_description(claim, own, facts, real, wiring))
            for name, cluster in running.items():
                since = lock(name, cluster.api, claim.id)
                cluster.foreign = replace(lab._foreign(name), since=since)
            with recorder.step("probe the network"):
                lab._probe(wiring)
        except BaseException:
            lab._shell = Shell(recorder)
            lab.remove()
            raise
        return lab

    @classmethod
    def left_by(cls, claim: Claim, about: Description, recorder: Recorder) -> KubeconfigLab:
        """The clusters in which a run was killed, to be put right. Raises LabError where they are
        not those that it had, UsageError where another process has the lab."""
        claim.take()
        shell = Shell(recorder)
        own = [
            OwnCluster(name, claim.folder / said["kubeconfig"], said["context"], said["server"])
            for name, said in about.own.items()
        ]
        try:
            with lab_errors(f"find the clusters of lab {claim.id} again"):
                facts = {one.name: _again(one, about.own[one.name]["uid"]) for one in own}
                real = Footprint(
                    tuple(found.cluster(name) for name, found in facts.items()),
                    min(found.version for found in facts.values()),
                )
                running = {
                    one.name: _running(one, claim, real, facts[one.name].api, {}, shell)
                    for one in own
                }
        except BaseException:
            claim.release()
            raise
        lab = cls(claim, real, running, recorder, shell)
        lab.wiring = Wiring(about.wiring)
        try:
            with lab_errors(f"look for what lab {claim.id} has left"):
                for name in running:
                    lab._remember(name)
        except BaseException:
            claim.release()
            raise
        return lab

    # --- what every lab has

    @property
    def shell(self) -> Shell:
        """What starts this lab's programs; called off when a step beside others fails."""
        return self._shell

    def on_nodes(self, shell: Shell) -> NoNodes:
        """Nobody runs programs on the nodes."""
        return NoNodes(shell)

    @property
    def addresses(self) -> dict[str, LateAddresses]:
        """By cluster, who hears of its LoadBalancer Services' addresses."""
        return self._addresses

    def is_made_of(self, footprint: Footprint) -> bool:
        """Whether these are the clusters of those names: that they are as described was seen."""
        return self.footprint.names == footprint.names and not footprint.machines

    def rewire(self, wiring: Wiring) -> float:
        """See whether the network, which is as it is, is as this wiring says too. Raises LabError
        where it is not."""
        begin = time.monotonic()
        wiring.check(self.footprint)
        with self.recorder.step("probe the network"):
            self._probe(wiring)
        self.wiring = wiring
        return time.monotonic() - begin

    def await_dns(self) -> None:
        """Wait until every cluster's DNS knows what there is, and says NXDOMAIN of what there is
        not. Raises LabError."""
        with self.recorder.step("wait for the clusters' DNS"):
            side_by_side(self.shell, self._await_dns, self.clusters)

    def keep(self) -> None:
        """Raises UsageError: nothing is left in clusters of somebody's own."""
        raise UsageError("nothing is kept in clusters of one's own", "leave --keep out")

    def remove(self) -> None:
        """Remove what we made in the clusters beside a mesh, the lock last, see that it is gone,
        and forget the lab. Raises LabError that names what is still there; the lab stays then."""
        with self.recorder.step("leave the clusters", lab=self.id):
            for name, cluster in self.clusters.items():
                with lab_errors(f"leave cluster {name}"):
                    if holder_of(cluster.api) == self.id:
                        delete(cluster, [_namespace(OWN_NAMESPACE)])
                        _await_gone(cluster, self.id)
        self.claim.forget()

    # --- parts

    def _foreign(self, name: str) -> Foreign:
        found = self.clusters[name].foreign
        if found is None:
            raise ValueError(f"{name} is nobody else's")
        return found

    def _remember(self, name: str) -> None:
        """Let it be known which Istio in a cluster may be ours, by what is there now. Raises
        ApiException."""
        cluster = self.clusters[name]
        ours = not has_others_istio(cluster.api, self.id)
        since = locked_since(cluster.api)
        cluster.foreign = replace(self._foreign(name), since=since, has_our_istio=ours)
        if not ours:
            text = f"Istio in cluster {name} is not of lab {self.id}, and is left as it is"
            self.recorder.emit("notice", text=text)

    def _probe(self, wiring: Wiring) -> None:
        """Raise LabError where no mesh can be as ``wiring`` says on this network; say what else is
        not so."""
        if not self._probes:
            names = list(self.clusters)
            found = side_by_side(self.shell, lambda one: deploy_probe(self.clusters[one]), names)
            self._probes = dict(zip(names, found, strict=True))
        probed = probe_network(self.clusters, self._probes, self._addresses)
        self.recorder.emit("notice", text=f"the network of the clusters: {probed}")
        wrong, other = differences(wiring, probed)
        for text in other:
            self.recorder.emit("notice", text=text)
        if wrong:
            raise LabError("; ".join(wrong), "name other clusters, or a topology that they can be")

    def _await_dns(self, name: str) -> None:
        cluster, probe = self.clusters[name], self._probes[name]

        def missing() -> str:
            server = dns_address(cluster)
            known, unknown = (ask_name(probe, one, server) for one in (_KNOWN, _UNKNOWN))
            good = known.exists and unknown.code == "NXDOMAIN"
            return "" if good else f"{_KNOWN}: {known}, {_UNKNOWN}: {unknown}"

        with lab_errors(f"ask the DNS of {name}"):
            eventually(missing, until=lambda said: not said, what=f"the DNS of {name}", within=60)


def check_ranges(asked: Footprint, real: Footprint, wiring: Wiring) -> None:
    """Raise UsageError where the clusters' ranges are not as a topology says: what it says of pods
    of one address, or of pods reached at their own, would not be judged then."""
    said, found = asked.overlapping(), real.overlapping()
    for pair in sorted(found ^ said):
        one, other = (real[name] for name in pair)
        ranges = f"{one.name} has {one.pods} and {one.services}, {other.name} has "
        ranges += f"{other.pods} and {other.services}"
        if pair in found:
            raise UsageError(
                f"{wiring.name} is of clusters whose addresses differ, and these share some "
                f"({ranges})",
                "name 'overlapping-cidrs', which is of such clusters, or other clusters",
            )
        raise UsageError(
            f"{wiring.name} is of clusters that share addresses, and these do not ({ranges})",
            "name 'multi-primary-split-horizon', or other clusters",
        )
    wiring.check(real)


def _running(
    own: OwnCluster,
    claim: Claim,
    footprint: Footprint,
    api: str,
    images: Mapping[str, str],
    shell: Shell,
) -> RunningCluster:
    foreign = Foreign(own.context, claim.folder, claim.id, api, images, NAMESPACES)
    return RunningCluster(footprint[own.name], own.kubeconfig, NoNodes(shell), foreign)


def _again(own: OwnCluster, uid: str) -> Facts:
    facts = facts_of(own, api_client(own.kubeconfig, own.context))
    if facts.uid != uid:
        raise LabError(
            f"context {own.context} of {own.kubeconfig} leads to another cluster than the run had",
            "let it lead there again",
        )
    return facts


def _description(
    claim: Claim,
    own: Sequence[OwnCluster],
    facts: Mapping[str, Facts],
    footprint: Footprint,
    wiring: Wiring,
) -> Description:
    """By which another process finds the clusters again. No credential is in it."""
    return Description(
        id=claim.id,
        engine="",
        created=time.time(),
        owner=os.getpid(),
        kubernetes=str(footprint.kubernetes),
        footprint={one.name: f"{one.kubeconfig}:{one.context}" for one in own},
        networks={},
        node_image="",
        wiring=wiring.name,
        ready=True,
        own={
            one.name: {
                "kubeconfig": str(one.kubeconfig),
                "context": one.context,
                "server": one.server,
                "uid": facts[one.name].uid,
            }
            for one in own
        },
    )


def _namespace(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _await_gone(cluster: RunningCluster, lab_id: str) -> None:
    def there() -> bool:
        return holder_of(cluster.api) == lab_id

    eventually(
        there,
        until=lambda still: not still,
        what=f"the end of namespace {OWN_NAMESPACE} of {cluster.name}",
        within=_GONE_WITHIN,
        every=0.5,
    )
