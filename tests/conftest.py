"""pytest's own means of testing plugins; and no unit test asks a registry in the outside."""

import pytest

from meshproof.artifacts import releases

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No registry answers. That its module is loaded here also keeps it, and what it loads, from
    being loaded anew within each of pytester's runs, which ``requests`` does not bear."""
    monkeypatch.setattr(releases, "registry_answers", lambda: False)
