"""The lab of the moment, and the mesh on it: kept from test to test, made anew where it must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from meshproof.errors import LabError, MeshproofError, WaitTimeoutError
from meshproof.kube.seam import in_words
from meshproof.lab import Lab
from meshproof.lab.alive import lost_part
from meshproof.lab.kept import find_kept
from meshproof.mesh.installation import install_mesh
from meshproof.mesh.keep import find_mesh, keep_mesh, note_before, remove_noted
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment, Footprint, Wiring
from meshproof.process import side_by_side
from meshproof.run.session import Session
from meshproof.traffic.settle import settle, turn
from meshproof.workloads import Echo, deploy_echo
from meshproof.workloads.sample import Sample, deploy_sample


class Labs:
    """One lab at a time. A bring-up that failed is not tried again: its cause is repeated."""

    def __init__(self, session: Session, *, reuse: str | None) -> None:
        self._session = session
        self.kept: str | None = None
        """The lab that was left in place, if one was."""
        self._reuse = reuse
        self._lab: Lab | None = None
        self._sample: Sample | None = None
        self._lost: tuple[Lab, LabError] | None = None
        self._failed: dict[object, MeshproofError] = {}
        self._echoes: dict[tuple[str, str], Echo] = {}

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
            return self._cleaned(self._with(footprint, wiring))

    def sample(self, deployment: Deployment) -> Sample:
        """sleep and helloworld on a mesh of this deployment."""
        topology = deployment.topology
        footprint = topology.footprint(deployment.kubernetes)
        self._repeat(footprint)
        self._repeat(deployment)
        now = self._sample
        usable = now is not None and now.mesh.dirty is None and not self._is_lost
        if now is not None and usable and now.mesh.deployment == deployment:
            return now
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
            made = side_by_side(lab.engine.shell, lambda name: self.echo(lab, name), lab.clusters)
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
            made = side_by_side(lab.engine.shell, on_each, lab.clusters)
        return dict(zip(lab.clusters, made, strict=True))

    def close(self, *, keep: bool = False) -> None:
        """Remove the lab; leave it in place if it was kept before, or shall be now."""
        lab, sample = self._lab, self._sample
        self._lab, self._sample, self._echoes = None, None, {}
        if lab is None:
            return
        if keep and not lab.kept:
            lab.keep()
            text = f"lab {lab.id} is kept: use it with 'meshproof verify --reuse {lab.id}', "
            lab.recorder.emit("notice", text=f"{text}remove it with 'meshproof down {lab.id}'")
        if lab.kept:
            self.kept = lab.id
            if sample is not None:
                keep_mesh(sample.mesh)
        lab.__exit__()

    # --- parts

    @property
    def _is_lost(self) -> bool:
        """Whether the lab's programs were called off, because one step beside others failed."""
        return self._lab is not None and self._lab.engine.shell.cancelled

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
        if self._lab is not None and (self._is_lost or self._lab.footprint != footprint):
            self.close()
        if self._lab is None:
            self._lab = self._bring_up(footprint, wiring)
        if self._lab.wiring != wiring:
            self._lab.rewire(wiring)
        return self._lab

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        made_with = self._session.ingredients()
        if self._reuse is not None:
            claim, _ = find_kept(self._reuse)
            return Lab.adopt(claim, footprint, made_with, wiring)
        return Lab.create(footprint, made_with, wiring)

    def _remove_mesh(self, lab: Lab) -> None:
        self._sample = None
        if remove_noted(lab):
            self._echoes.clear()

    def _cleaned(self, lab: Lab) -> Lab:
        """The lab without its mesh; a new one where the mesh cannot be removed."""
        try:
            self._remove_mesh(lab)
        except (WaitTimeoutError, LabError) as error:
            if lab.kept:
                raise  # somebody's own lab is not thrown away
            text = f"lab {lab.id} is made anew, since its mesh cannot be removed: {error.cause}"
            lab.recorder.emit("notice", text=text)
            self._lab, self._echoes, self._reuse = None, {}, None
            lab.remove()
            self._lab = lab = self._bring_up(lab.footprint, lab.wiring)
        return lab

    def _deploy(self, lab: Lab, deployment: Deployment) -> Sample:
        bundle, now = self._session.bundle, self._sample
        if now is None and lab.kept:
            mesh = find_mesh(lab, deployment, bundle)
            if mesh is not None:
                sample = Sample(mesh)
                mesh.settling = settle(sample)
                return sample
        if now is not None and now.mesh.dirty is None and _differ_in_mtls(now.mesh, deployment):
            with lab.recorder.step(f"turn the mesh to mTLS {deployment.mtls.value}"):
                turn(now, deployment)
            return now
        lab = self._cleaned(lab)
        with self._remembered(lab.footprint):
            lab.await_dns()  # what comes up late with it must not be taken for the mesh's
        folder = (self._session.folder or lab.claim.folder) / "mesh" / str(deployment)
        mesh = Mesh.begin(lab, deployment, bundle, folder)
        note_before(mesh)
        try:
            install_mesh(mesh)
            sample = deploy_sample(mesh)
        except Exception:
            mesh.mark_dirty("its installation did not come to an end")
            self._sample = Sample(mesh)
            raise
        mesh.settling = settle(sample)
        return sample


def _differ_in_mtls(mesh: Mesh, deployment: Deployment) -> bool:
    """Whether a mesh becomes the deployment by another mTLS mode alone."""
    return replace(mesh.deployment, mtls=deployment.mtls) == deployment
