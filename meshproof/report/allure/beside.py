"""What lies beside Allure's results: the environment, and categories of what did not pass."""

from __future__ import annotations

import json
import re
from pathlib import Path

from meshproof.report.about import About
from meshproof.report.formats import written
from meshproof.report.texts import in_line

_CATEGORIES_FILE, _ENVIRONMENT_FILE = "categories.json", "environment.properties"
_SPECIAL = re.compile(r"[\\:=#!\s]")
_LATIN = 0x100
# By what messages begin with, and Allure's statuses; the first that fits a result holds.
_CATEGORIES = (
    ("Known issues of Istio", "KNOWN", ("failed",)),
    ("Did not hold", "FAIL", ("failed",)),
    ("Could not tell", "INCONCLUSIVE", ("broken",)),
    ("Skipped", "skipped", ("skipped",)),
    ("Not run", "not run", ("unknown",)),
)


def write_beside(folder: Path, made_of: About) -> None:
    """Write both files into the folder of results. Raises MeshproofError when it cannot."""
    written(folder / _CATEGORIES_FILE, categories())
    written(folder / _ENVIRONMENT_FILE, environment(made_of))


def categories() -> str:
    """The categories, as `categories.json`."""
    return json.dumps(
        [
            {"name": name, "matchedStatuses": statuses, "messageRegex": f"(?s){begin}: .*"}
            for name, begin, statuses in _CATEGORIES
        ],
        indent=2,
    )


def environment(made_of: About) -> str:
    """What the runs were made of, as `environment.properties`."""
    given = {
        "meshproof": ", ".join(made_of.bench),
        "istio": ", ".join(made_of.istio),
        "kubernetes": ", ".join(made_of.kubernetes),
        "engine": ", ".join(made_of.engines),
        **{f"proxy.of.istio.{name}": proxy for name, proxy in made_of.proxies.items()},
        "artifacts": "; ".join(f"{who} {digest}" for digest, who in made_of.artifacts.items()),
        "deployments": ", ".join(one["id"] for one in made_of.deployments),
    }
    return "".join(f"{_key(name)} = {_escaped(value)}\n" for name, value in given.items() if value)


def _key(name: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", _escaped(name))


def _escaped(text: str) -> str:
    """A value of a Java properties file, which is Latin-1 with a backslash for what that lacks."""
    plain = in_line(text, 4000).replace("\\", "\\\\")
    return "".join(letter if ord(letter) < _LATIN else _units(letter) for letter in plain)


def _units(letter: str) -> str:
    data = letter.encode("utf-16-be")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))
