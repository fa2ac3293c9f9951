"""The library that starts the router reads the user's variables as it is imported: not so here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_CODE = """
import os
before = dict(os.environ)
from meshproof.lab.network import router
router.load_testcontainers()
assert dict(os.environ) == before
from testcontainers.core.config import testcontainers_config as found
print(found.max_tries, repr(found.hub_image_name_prefix), found.tc_properties)
print(found.docker_auth_config, found.connection_mode_override)
"""


def test_habits_of_testcontainers_change_nothing(tmp_path: Path) -> None:
    (tmp_path / ".testcontainers.properties").write_bytes(b"tc.host=tcp://elsewhere\n\xff\n")
    habits = {
        "HOME": str(tmp_path),
        "TC_MAX_TRIES": "many",
        "TESTCONTAINERS_CONNECTION_MODE": "none of them",
        "TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX": "mirror.example/",
        "DOCKER_AUTH_CONFIG": '{"auths": {"example.com": {"auth": "eDp5"}}}',
    }
    run = [sys.executable, "-c", _CODE]
    said = subprocess.run(run, env={**os.environ, **habits}, capture_output=True, text=True)
    assert said.stderr == ""
    assert said.stdout == "120 '' {}\nNone None\n"
