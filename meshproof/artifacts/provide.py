"""Chooses where the artifacts come from, and gives out a verified bundle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from meshproof.artifacts.built import Built, istio_from_modules
from meshproof.artifacts.bundle import Bundle, Wanted
from meshproof.artifacts.catalog import catalog, default_wanted
from meshproof.artifacts.checkout import istio_from_checkout
from meshproof.artifacts.given import check_given
from meshproof.artifacts.helm import with_helm
from meshproof.artifacts.machine import MachineArtifacts
from meshproof.artifacts.published import Published, needed_by, registry_answers
from meshproof.artifacts.store import Store
from meshproof.artifacts.support import check_supported
from meshproof.engine import Engine
from meshproof.errors import ArtifactError, UsageError
from meshproof.events import Recorder

SOURCES = ("published", "built", "checkout")


def provide(
    wanted: Wanted,
    *,
    engine: Engine,
    recorder: Recorder,
    source: str | None = None,
    checkout: Path | None = None,
    store: Store | None = None,
) -> Bundle:
    """The node image and programs for ``wanted``, verified; made or fetched where missing. Helm is
    among them where it is wanted.

    ``source``: "published", "built", "checkout" (then ``checkout`` names the Istio tree), or
    None: what the store has wins without asking the network; else published if a registry
    answers, else built. Raises UsageError for versions, sources or trees that do not exist,
    ArtifactError when something cannot be had.
    """
    store = store or Store()
    found = _source(wanted, engine, recorder, store, source, checkout).bundle()
    if not wanted.helm:
        return found
    return with_helm(
        found, wanted, shell=engine.shell, recorder=recorder, store=store, checkout=checkout
    )


def provide_for_clusters(
    wanted: Wanted,
    *,
    engine: Engine,
    recorder: Recorder,
    source: str | None = None,
    checkout: Path | None = None,
    store: Store | None = None,
) -> Bundle:
    """What a mesh takes on clusters that are there: istioctl and our programs, and the names of the
    images, which nodes pull. Of what is built here they have to hold the images already.

    Where no source is named it is what is published, as soon as a registry answers, whatever the
    store has. Raises as ``provide``.
    """
    if source is None and checkout is None and registry_answers():
        source = "published"
    # Theirs is there, and may be one that is not known here.
    wanted = replace(wanted, kubernetes=default_wanted().kubernetes)
    found = _source(wanted, engine, recorder, store or Store(), source, checkout)
    return found.for_clusters() if isinstance(found, Published) else found.bundle()


def provide_machines(
    wanted: Wanted,
    *,
    engine: Engine,
    recorder: Recorder,
    source: str | None = None,
    checkout: Path | None = None,
    store: Store | None = None,
) -> MachineArtifacts:
    """What machines outside Kubernetes are made of for ``wanted``, from the source that ``provide``
    takes. Raises as that does, and ArtifactError where it would take what is published: of that
    only images are had, and no packages for machines."""
    found = _source(wanted, engine, recorder, store or Store(), source, checkout)
    if isinstance(found, Published):
        raise ArtifactError(
            "machines outside Kubernetes need Istio's programs, and published are only its images",
            "add '--artifacts built'",
        )
    return found.machines()


def _source(
    wanted: Wanted,
    engine: Engine,
    recorder: Recorder,
    store: Store,
    source: str | None,
    checkout: Path | None,
) -> Built | Published:
    """Where the artifacts come from. Raises UsageError as ``provide``."""
    if source is None and checkout is not None:
        source = "checkout"
    source = _implied(wanted, source)
    if source not in (None, *SOURCES):
        raise UsageError(f"there is no source '{source}'", f"choose one of {', '.join(SOURCES)}")
    if source == "checkout":
        return _from_checkout(wanted, engine, recorder, store, checkout)
    published = Published(wanted, engine, recorder, store)
    if source == "published" or (source is None and published.is_there()):
        return published
    if source is None and not _can_be_built(wanted, engine, recorder, store):
        return published
    catalog().check(wanted)
    return Built(wanted, engine, recorder, store, istio_from_modules(wanted, engine, recorder))


def check_wanted(
    wanted: Wanted, source: str | None, engine: Callable[[], Engine], store: Store | None = None
) -> None:
    """Raise UsageError for versions that ``provide`` would not find in ``source``, and, unless that
    is wanted, for a Kubernetes that one of the Istio versions does not support.

    Makes and fetches nothing. ``engine`` is asked for only when it matters: for versions that
    are not in the catalog where no source is named, which the store may hold, or a registry.
    """
    source = _implied(wanted, source)
    _check_there(wanted, source, engine, store)
    if wanted.archives:
        check_given(wanted.archives, needed_by(wanted))
    if source != "checkout" and not wanted.unsupported:
        check_supported(wanted.istio, wanted.kubernetes)


def _implied(wanted: Wanted, source: str | None) -> str | None:
    """Images that are named are pulled, where no source is."""
    named = wanted.own.is_named or wanted.archives
    return "published" if source is None and named else source


def _check_there(
    wanted: Wanted, source: str | None, engine: Callable[[], Engine], store: Store | None
) -> None:
    try:
        catalog().check(replace(wanted, istio=()) if source == "checkout" else wanted)
    except UsageError:
        if source == "published" or (source is None and registry_answers()):
            return
        if source is not None:
            raise
        if not Published(wanted, engine(), Recorder(), store or Store()).is_there():
            raise


def _from_checkout(
    wanted: Wanted, engine: Engine, recorder: Recorder, store: Store, checkout: Path | None
) -> Built:
    if checkout is None:
        raise UsageError("no Istio source tree was named", "add '--checkout FOLDER'")
    catalog().check(replace(wanted, istio=()))
    istio = istio_from_checkout(checkout, wanted, engine, recorder)
    return Built(wanted, engine, recorder, store, (istio,), source="checkout")


def _can_be_built(wanted: Wanted, engine: Engine, recorder: Recorder, store: Store) -> bool:
    """False when nothing is there yet and a registry answers: then published is quicker."""
    try:
        catalog().check(wanted)
    except UsageError:
        if registry_answers():
            return False
        raise
    istios = istio_from_modules(wanted, engine, recorder)
    built = Built(wanted, engine, recorder, store, istios)
    return built.is_there() or not registry_answers()
