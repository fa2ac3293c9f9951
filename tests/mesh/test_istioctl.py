"""What istioctl prints where a Secret is wanted."""

from __future__ import annotations

import pytest

from meshproof.errors import LabError
from meshproof.mesh.istioctl import _secret_in

SECRET = "# for east\napiVersion: v1\nkind: Secret\nmetadata:\n  name: istio-remote-secret-east\n"


def test_the_secret_is_found_among_what_is_printed() -> None:
    printed = f"{SECRET}---\n"
    assert _secret_in(printed, "east")["metadata"]["name"] == "istio-remote-secret-east"
    assert _secret_in(f"Warning: old\n---\n{SECRET}", "east")["kind"] == "Secret"


@pytest.mark.parametrize("printed", ["", "---\n", "kind: [", "kind: ServiceAccount\n", "a: b: c"])
def test_no_secret_is_one_sentence(printed: str) -> None:
    with pytest.raises(LabError, match="no remote secret of east: istioctl printed none, but '"):
        _secret_in(printed, "east")
