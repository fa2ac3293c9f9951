"""The lab of the moment, and the mesh on it: kept from test to test, made anew where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from meshproof.artifacts import Bundle
from meshproof.errors import LabError, MeshproofError, WaitTimeoutError
from meshproof.faults.unhealed import Stays, forget
from meshproof.kube import client
from meshproof.kube.seam import in_words
from meshproof.lab import KindLab, Lab
from meshproof.lab.alive import lost_part
from meshproof.lab.kept import find_kept
from meshproof.lab.own.lab import KubeconfigLab
from meshproof.mesh.installation import install_mesh
from meshproof.mesh.inventory import Inventory
from meshproof.mesh.keep import keep_mesh, note_before, note_installed, read_noted, remove_noted
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment, Footprint, Topology, Wiring
from meshproof.process import side_by_side
from meshproof.run.leaving import check_left_as_it_was, whole
from meshproof.run.reuse import as_kept, leave_damage, tell_unhealed
from meshproof.run.session import Session
from meshproof.traffic.settle import settle, turn
from meshproof.workloads import Echo, deploy_echo
from meshproof.workloads.sample import Sample, deploy_sample


class Labs:
    """One lab at a time. A bring-up that failed is not tried again: its cause is repeated.

    ``reuse``: the kept lab that is used; ``keep``: whether labs are to be left in place, and what
    is installed on them is taken down; ``repair``: whether the mesh that is found on the kept lab
    may be changed. Else it is judged as it is, and nothing but a test of its removal ends it.
    """

    def __init__(
        self,
        session: Session,
        *,
        reuse: str | None,
        keep: bool = False,
        repair: bool = False,
    ) -> None:
        self._session = session
        self.kept: str | None = None
        """The lab that was left in place, if one was."""
        self.on_kept: str | None = None
        """What the mesh on that is of, "" for one that is damaged, None where there is none."""
        self._keep, self._repair = keep, repair
        self._left: Mesh | None = None
        """The mesh that was found on the lab, and may not be changed."""
        self._reuse = reuse
        self._lab: Lab | None = None
        self._sample: Sample | None = None
        self._lost: tuple[Lab, LabError] | None = None
        self._failed: dict[object, MeshproofError] = {}
        self._echoes: dict[tuple[str, str], Echo] = {}
        self._others: dict[str, Inventory] = {}

    @property
    def lab(self) -> Lab | None:
        """The lab that is up, if any: evidence is collected from it."""
        return self._lab

    @property
    def unmet(self) -> tuple[str, ...]:
        """What was applied to the mesh by the test that runs now, and did not arrive."""
        return tuple(self._sample.mesh.unmet) if self._sample is not None else ()

    def lost(self) -> LabError | None:
        """What of the lab is lost, if something is; tests on its clusters are then told so.

        What was found once is not looked for again.
        """
        lab = self._lab
        if lab is None:
            return None
        if self._lost is None or self._lost[0] is not lab:
            reason = lost_part(lab)
            if reason is None:
                return None
            self._lost = lab, LabError(reason)
        self._failed[lab.footprint] = self._lost[1]
        return self._lost[1]

    def bare(self, footprint: Footprint, wiring: Wiring) -> Lab:
        """A running lab with these clusters, wired so, and without a mesh."""
        self._repeat(footprint)
        with self._remembered(footprint):
            lab = self._with(footprint, wiring)
            self._check_changeable(lab, f"clusters without a mesh ({', '.join(footprint.names)})")
            return self._cleaned(lab)

    def sample(self, deployment: Deployment) -> Sample:
        """sleep and helloworld on a mesh of this deployment."""
        topology = deployment.topology
        footprint = topology.footprint(deployment.kubernetes)
        self._repeat(footprint)
        self._repeat(deployment)
        now = self._sample
        if now is not None and now.mesh is self._left:
            leave_damage(now.mesh)
        usable = now is not None and now.mesh.dirty is None and not self._is_lost
        if now is not None and usable and now.mesh.deployment == deployment:
            return now
        with self._remembered(deployment):
            self._bundle(topology)  # what a host needs is compiled while no lab waits for it
        with self._remembered(footprint):
            lab = self._with(footprint, topology.wiring(footprint))
        with self._remembered(deployment):
            self._sample = self._deploy(lab, deployment)
        return self._sample

    def end_mesh(self) -> None:
        """Remove the mesh that is there now; the next test that needs one installs it anew.

        Raises WaitTimeoutError that names what cannot be removed.
        """
        if self._lab is not None:
            self._remove_mesh(self._lab)

    def echo(self, lab: Lab, cluster: str, name: str = "echo", node: str | None = None) -> Echo:
        """The echo called ``name`` in a cluster of the lab, deployed when first asked for.

        ``node``: the container of the node that it is to be on, where that matters.
        """
        if (cluster, name) not in self._echoes:
            made = deploy_echo(lab.clusters[cluster], lab.recorder, name, node)
            self._echoes[cluster, name] = made
        return self._echoes[cluster, name]

    def echoes(self, lab: Lab) -> dict[str, Echo]:
        """The echo of each cluster."""
        with self._remembered(lab.footprint):
            made = side_by_side(lab.shell, lambda name: self.echo(lab, name), lab.clusters)
        return {echo.pod.cluster: echo for echo in made}

    def echoes_by_node(self, lab: Lab) -> dict[str, tuple[Echo, ...]]:
        """An echo on every node of each cluster, in the order of its nodes."""

        def on_each(cluster: str) -> tuple[Echo, ...]:
            nodes = enumerate(lab.clusters[cluster].nodes)
            return tuple(
                self.echo(lab, cluster, f"echo-on-node-{number}", node.container)
                for number, node in nodes
            )

        with self._remembered(lab.footprint):
            made = side_by_side(lab.shell, on_each, lab.clusters)
        return dict(zip(lab.clusters, made, strict=True))

    def close(self, *, keep: bool = False) -> None:
        """Remove the lab; leave it in place if it was kept before, or shall be now."""
        lab, sample = self._lab, self._sample
        self._lab, self._sample, self._echoes = None, None, {}
        if lab is None:
            return
        if lab.shared:
            self._sample = sample
            self._leave_mesh(lab)
        if sample is not None and sample.mesh is self._left:
            leave_damage(sample.mesh)
        self._left = None
        if keep and not lab.kept:
            lab.keep()
            text = f"lab {lab.id} is kept: use it with 'meshproof verify --reuse {lab.id}', "
            text += f"enter it with 'meshproof enter {lab.id}', "
            lab.recorder.emit("notice", text=f"{text}remove it with 'meshproof down {lab.id}'")
        if lab.kept:
            self.kept = lab.id
            if sample is not None:
                keep_mesh(sample.mesh)
                self.on_kept = "" if sample.mesh.dirty else str(sample.mesh.deployment)
        lab.__exit__()
        if lab.shared:
            check_left_as_it_was(lab, self._others)
            client.forget_keys()

    # --- parts

    def _leave_mesh(self, lab: Lab) -> None:
        """Remove what was installed in clusters of somebody's own; what cannot be removed keeps
        its lock, and whoever they belong to is told the remedy."""
        try:
            with lab.recorder.step("remove what was installed"):
                self._remove_mesh(lab)
        except MeshproofError:
            text = f"not all of it is gone: 'meshproof down {lab.id}' removes what is left"
            lab.recorder.emit("notice", text=text)
            client.forget_keys()
            raise

    @property
    def _is_lost(self) -> bool:
        """Whether the lab's programs were called off, because one step beside others failed."""
        return self._lab is not None and self._lab.shell.cancelled

    @contextmanager
    def _remembered(self, what: object) -> Iterator[None]:
        """Whatever goes wrong inside is the cause that every other test on ``what`` is told."""
        try:
            yield
        except MeshproofError as error:
            self._failed[what] = error
            raise
        except Exception as error:
            cause = LabError(in_words(error))
            self._failed[what] = cause
            raise cause from error

    def _repeat(self, what: object) -> None:
        if what in self._failed:
            raise self._failed[what]

    def _with(self, footprint: Footprint, wiring: Wiring) -> Lab:
        if self._lab is not None and (self._is_lost or not self._lab.is_made_of(footprint)):
            self.close()
        if self._lab is None:
            self._lab = self._bring_up(footprint, wiring)
        if self._lab.wiring != wiring:
            self._lab.rewire(wiring)
        return self._lab

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        own = self._session.choices.clusters
        if own is not None:
            theirs = KubeconfigLab.create(own, footprint, wiring, self._session.recorder)
            try:
                self._others = whole(theirs)
            except BaseException:
                theirs.remove()
                raise
            return theirs
        made_with = self._session.ingredients(machines=bool(footprint.machines))
        if self._reuse is not None:
            claim, _ = find_kept(self._reuse)
            lab = KindLab.adopt(claim, footprint, made_with, wiring)
            tell_unhealed(lab)
            return lab
        return KindLab.create(footprint, made_with, wiring)

    def _check_changeable(self, lab: Lab, asked: str) -> None:
        """Raise UsageError when the lab holds a mesh that may not be removed."""
        ours = self._sample is not None and self._sample.mesh is not self._left
        if lab.kept and not self._repair and not ours and (noted := read_noted(lab)) is not None:
            raise noted.refusal([asked])

    def _remove_mesh(self, lab: Lab) -> None:
        if self._sample is not None:
            self._sample.mesh.take_down()
        self._sample = self._left = None
        if remove_noted(lab):
            self._echoes.clear()
            forget(lab.claim, Stays.IN_MESH)

    def _cleaned(self, lab: Lab) -> Lab:
        """The lab without its mesh; a new one where the mesh cannot be removed."""
        try:
            self._remove_mesh(lab)
        except (WaitTimeoutError, LabError) as error:
            if lab.kept or lab.shared:
                raise  # somebody's own lab is not thrown away
            text = f"lab {lab.id} is made anew, since its mesh cannot be removed: {error.cause}"
            lab.recorder.emit("notice", text=text)
            self._lab, self._echoes, self._reuse = None, {}, None
            lab.remove()
            self._lab = lab = self._bring_up(lab.footprint, lab.wiring)
        return lab

    def _deploy(self, lab: Lab, deployment: Deployment) -> Sample:
        now = self._sample
        if now is None and lab.kept:
            bundle = self._bundle(deployment.topology)
            found = as_kept(lab, deployment, bundle, repair=self._repair)
            if found is not None:
                self._left = None if self._repair else found.mesh
                return found
        else:
            self._check_changeable(lab, str(deployment))
        if now is not None and now.mesh.dirty is None and _differ_in_mtls(now.mesh, deployment):
            with lab.recorder.step(f"turn the mesh to mTLS {deployment.mtls.value}"):
                turn(now, deployment)
            self._note_installed(now.mesh)  # else the mode would be told as a difference
            return now
        return self._install(self._cleaned(lab), deployment)

    def _install(self, lab: Lab, deployment: Deployment) -> Sample:
        with self._remembered(lab.footprint):
            lab.await_dns()  # what comes up late with it must not be taken for the mesh's
        folder = (self._session.folder or lab.claim.folder) / "mesh" / str(deployment)
        mesh = Mesh.begin(lab, deployment, self._bundle(deployment.topology), folder)
        note_before(mesh)
        try:
            install_mesh(mesh)
            sample = deploy_sample(mesh)
        except Exception:
            mesh.mark_dirty("its installation did not come to an end")
            self._sample = Sample(mesh)
            raise
        mesh.settling = settle(sample)
        self._note_installed(mesh)
        return sample

    def _bundle(self, topology: Topology) -> Bundle:
        """What a topology is installed from."""
        bundle = self._session.bundle
        return bundle if topology.host is None else replace(bundle, host=self._session.host)

    def _note_installed(self, mesh: Mesh) -> None:
        """Take down what is installed on a lab that will be there for another run."""
        if self._keep or mesh.lab.kept:
            note_installed(mesh)


def _differ_in_mtls(mesh: Mesh, deployment: Deployment) -> bool:
    """Whether a mesh becomes the deployment by another mTLS mode alone. One that is upgraded is
    what it was no more."""
    own = mesh.deployment
    return own.upgrade is None and replace(own, mtls=deployment.mtls) == deployment
