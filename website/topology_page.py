"""A page for each topology: its picture, its parts, then and now, and the objects that a user
writes, all from its file and from what meshproof itself makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from meshproof.events import Data
from meshproof.files import read_topology
from meshproof.mesh.sketch import sketched
from meshproof.model import Topology
from meshproof.report.html.drawing import drawn
from meshproof.report.html.page import picture
from meshproof.run.described import described_topology
from website.objects import written_objects
from website.tables import Row, table

_RESERVED = "Then and now"
_FLOWS = {"api": "the API server", "gateway": "gateways", "pod": "pods"}


def topology_page(path: Path, prose: str, behaviours: str) -> str:
    """The page of a topology. ``path``: its file; ``prose``: docs/topologies.md; ``behaviours``:
    docs/behaviours.md.

    Raises KeyError where the prose has no section on it: nobody has said what it is for.
    """
    topology = read_topology(path)
    deployment = sketched(topology)
    described = described_topology(deployment)
    text = path.read_text(encoding="utf-8")
    section = sections(prose)[topology.name]
    parts = [
        f"# {topology.name}",
        _about(text),
        _drawn(topology.name, described),
        "## Its parts",
        table(
            ("cluster", "part", "network", "gateway", "helloworld", "pods", "read by"),
            _members(topology),
        ),
        _machines(topology),
        "What the router lets through, and nothing else:",
        table(("from", "to", "what"), _passes(described)),
        "## Then and now",
        section.strip(),
        _then_and_now(prose, topology),
        "## Its file",
        f"```yaml\n{text.strip()}\n```",
        "What each key says is in [Topologies](../topologies.md#the-file).",
        "## What a user writes",
        written_objects(deployment),
        "## What is judged on it",
        _judged(behaviours, topology.name),
        "## Try it",
        _commands(topology.name),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def sections(prose: str) -> dict[str, str]:
    """What docs/topologies.md says of each topology, by its name; headings in it go one deeper,
    links lead out of the folder of pages.

    A heading may name several topologies, with commas between, and say "on demand".
    """
    found: dict[str, str] = {}
    for heading, text in _split(prose):
        for name in heading.split(","):
            if name.strip() and name.strip() != "on demand":
                deeper = re.sub(r"^(#+ )", r"#\1", text, flags=re.MULTILINE)
                found[name.strip()] = re.sub(r"\]\((?=[\w-]+\.md)", "](../", deeper)
    return found


def without_sections(prose: str, names: Iterable[str]) -> str:
    """docs/topologies.md as the site has it: each topology's section is a link to its page."""
    known = set(names)
    kept = [prose[: prose.index("\n## ") + 1]]
    listed: list[str] = []
    for heading, text in _split(prose):
        here = [name.strip() for name in heading.split(",") if name.strip() in known]
        if here:
            listed += [f"- [{name}](topologies/{name}.md): {_first(text)}" for name in here]
            continue
        if listed and heading == _RESERVED:
            kept.append("## The topologies there are\n\n" + "\n".join(listed) + "\n\n")
        kept.append(f"## {heading}\n{text}")
    return "".join(kept)


def _split(prose: str) -> list[tuple[str, str]]:
    """The second-level sections of a page: heading and text."""
    parts = re.split(r"^## (.*)\n", prose, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def _first(text: str) -> str:
    """The first sentence of what a topology is, after where it is from and what was wanted."""
    paragraphs = [one for one in text.strip().split("\n\n") if not one.startswith(("From ", "*"))]
    return re.split(r"(?<=[.:]) |\n", paragraphs[0])[0].rstrip(":").rstrip(".")


def _about(text: str) -> str:
    """What the file says of itself at its top."""
    comments = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
    return " ".join(comments)


def _drawn(name: str, described: Data) -> str:
    """The picture, without empty lines, which would end the block for Markdown."""
    svg = picture(drawn(name, described))
    lines = "\n".join(line for line in svg.splitlines() if line.strip())
    return f'<div class="drawing-frame">\n{lines}\n</div>'


def _members(topology: Topology) -> list[Row]:
    rows: list[Row] = []
    for one in topology.members:
        part = f"remote of {one.primary}" if one in topology.remotes else one.role.value
        if len(topology.meshes) > 1:
            part += f", mesh {one.mesh.name}"
        here = [p for p in topology.placements if p.cluster == one.name]
        versions = "; ".join(
            f"{p.version}, {p.replicas} instances" if p.replicas > 1 else p.version for p in here
        )
        gateway = ""
        if one.gateway is not None:
            gateway = f"port {one.gateway.port}" + (
                ", by host name" if one.gateway.hostname else ""
            )
        readers = ", ".join(topology.readers(one.name))
        rows.append(
            (one.name, part, one.network, gateway, versions, str(one.cluster.pods), readers)
        )
    return rows


def _machines(topology: Topology) -> str:
    """The machines outside Kubernetes; "" where there are none."""
    rows = [
        (one.name, one.network, one.primary, one.version, one.locality) for one in topology.machines
    ]
    columns = ("machine", "network", "served by", "helloworld", "locality")
    return table(columns, rows) if rows else ""


def _passes(described: Data) -> list[Row]:
    return [
        (
            one["caller"],
            one["called"],
            ", ".join(_FLOWS.get(f, f) for f in one["flows"]) or "nothing",
        )
        for one in described["passes"]
    ]


def _then_and_now(prose: str, topology: Topology) -> str:
    """Those rows of the table of old and new means that are at work here."""
    text = dict(_split(prose))[_RESERVED]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    if len(topology.meshes) > 1:
        return ""  # federation's section has a table of its own
    at = 3 if len(topology.networks) > 1 else 2
    here = {
        "yes": True,
        "a remote": bool(topology.remotes),
        "several primaries": len(topology.primaries) > 1,
    }
    rows = [
        (c[0].strip(), c[1].strip()) for c in lines[1:] if len(c) > at and here.get(c[at].strip())
    ]
    return "What the documents did it with, and what takes its place:\n\n" + table(
        ("then", "now"), rows
    )


def _judged(behaviours: str, name: str) -> str:
    """From the table of behaviours what is judged here, suite by suite, and what does not apply."""
    lines = []
    for suite, text in _split(behaviours):
        rows = [_cells(line) for line in text.splitlines() if line.startswith("| ")]
        if not rows or name not in rows[0]:
            continue
        at = rows[0].index(name)
        by: dict[str, list[str]] = {"judged": [], "on demand": []}
        for row in rows[2:]:
            found = re.match(r"`[^`]+`", row[0])
            if found and len(row) == len(rows[0]) and not row[at].startswith("n/a"):
                by["on demand" if row[at] == "on demand" else "judged"].append(found[0])
        told = [f"{', '.join(ids)} ({how})" for how, ids in by.items() if ids]
        if told:
            lines.append(f"- **{suite}**: {'; '.join(told)}")
    more = "Sentences, other modes and the sabotage of each: [Behaviours](../behaviours.md)."
    return "\n".join([*lines, "", more])


def _cells(line: str) -> Sequence[str]:
    return [one.strip() for one in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _commands(name: str) -> str:
    return (
        f"```sh\nmeshproof verify {name}            # installed, judged, removed\n"
        f"meshproof verify {name} --keep     # left in place, to look around in\n```"
    )


def pages(folder: Path, docs: Path) -> dict[str, str]:
    """Each topology's page by its address in the site. ``folder``: of the topologies' files."""
    prose = (docs / "topologies.md").read_text(encoding="utf-8")
    behaviours = (docs / "behaviours.md").read_text(encoding="utf-8")
    return {
        f"topologies/{path.stem}.md": topology_page(path, prose, behaviours)
        for path in sorted(folder.glob("*.yaml"))
    }
