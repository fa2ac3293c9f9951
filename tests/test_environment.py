"""Which variables of whoever calls reach which program: a table, then the places that differ."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshproof.environment import (
    RULES,
    dropped,
    find_program,
    for_docker,
    for_downloads,
    for_programs,
    for_pytest,
    home,
    rule_of,
    set_aside,
    taken_away,
)
from meshproof.process import Shell

ALL = frozenset({"programs", "pytest", "docker", "downloads"})
NOWHERE: frozenset[str] = frozenset()
PYTEST = frozenset({"pytest"})
DOCKER = frozenset({"docker", "pytest"})
DOWNLOADS = frozenset({"downloads", "pytest"})

TABLE = [
    # pytest
    ("PYTEST_ADDOPTS", "-k distribution", NOWHERE),
    ("PYTEST_PLUGINS", "nothing", NOWHERE),
    ("PYTEST_DEBUG_TEMPROOT", "/nowhere", NOWHERE),
    ("PYTEST_XDIST_AUTO_NUM_WORKERS", "7", NOWHERE),
    ("PYTEST_XDIST_WORKER", "gw0", NOWHERE),
    ("PYTEST_CURRENT_TEST", "test_it", NOWHERE),
    # Python
    ("PYTHONPATH", "/work/oldest", ALL),
    ("PYTHONDONTWRITEBYTECODE", "1", ALL),
    ("PYTHONIOENCODING", "latin-1", PYTEST),
    ("PYTHONUTF8", "0", PYTEST),
    ("PYTHONOPTIMIZE", "1", NOWHERE),
    ("PYTHONWARNINGS", "error", NOWHERE),
    ("PYTHONSAFEPATH", "1", PYTEST),
    ("PYTHONHOME", "/opt/python", NOWHERE),
    ("PYTHONSTARTUP", "/root/.startup", NOWHERE),
    ("PYTHONINSPECT", "1", NOWHERE),
    # Kubernetes, Helm, kind, Istio
    ("KUBECONFIG", "/root/.kube/config", NOWHERE),
    ("KUBERC", "/root/.kube/kuberc", NOWHERE),
    ("KUBE_EDITOR", "vi", NOWHERE),
    ("KUBERNETES_SERVICE_HOST", "10.0.0.1", NOWHERE),
    ("HELM_NAMESPACE", "mine", NOWHERE),
    ("KIND_EXPERIMENTAL_PROVIDER", "nerdctl", NOWHERE),
    ("KIND_CLUSTER_NAME", "mine", NOWHERE),
    ("ISTIOCTL_ISTIONAMESPACE", "mesh-system", NOWHERE),
    ("ISTIO_META_NETWORK", "mine", NOWHERE),
    ("PILOT_ENABLE_AMBIENT", "true", NOWHERE),
    # podman
    ("CONTAINER_HOST", "ssh://elsewhere", NOWHERE),
    ("CONTAINER_CONNECTION", "elsewhere", NOWHERE),
    ("CONTAINER_SSHKEY", "/root/key", NOWHERE),
    ("CONTAINER_TLS_CA", "/root/ca.pem", NOWHERE),
    ("CONTAINER_NAME", "this machine's", ALL),
    ("PODMAN_USERNS", "keep-id", NOWHERE),
    ("PODMAN_IGNORE_CGROUPSV1_WARNING", "1", ALL),
    ("CONTAINERS_CONF", "/etc/mine.conf", ALL),
    ("REGISTRY_AUTH_FILE", "/root/auth.json", ALL),
    ("STORAGE_DRIVER", "vfs", ALL),
    # docker
    ("DOCKER_HOST", "unix:///run/user/0/docker.sock", DOCKER),
    ("DOCKER_CONTEXT", "rootless", DOCKER),
    ("DOCKER_CONFIG", "/root/.docker", ALL),
    ("DOCKER_TLS_VERIFY", "1", NOWHERE),
    ("DOCKER_CERT_PATH", "/root/certs", NOWHERE),
    ("DOCKER_API_VERSION", "1.20", NOWHERE),
    ("DOCKER_DEFAULT_PLATFORM", "linux/arm64", NOWHERE),
    ("DOCKER_BUILDKIT", "0", NOWHERE),
    ("BUILDKIT_HOST", "tcp://elsewhere", NOWHERE),
    ("BUILDX_BUILDER", "mine", NOWHERE),
    ("TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX", "mirror/", NOWHERE),
    ("TC_HOST", "elsewhere", NOWHERE),
    ("RYUK_CONTAINER_IMAGE", "mine", NOWHERE),
    # Go
    ("GOFLAGS", "-mod=vendor", NOWHERE),
    ("GOOS", "windows", NOWHERE),
    ("GOARCH", "arm64", NOWHERE),
    ("GOAMD64", "v4", NOWHERE),
    ("GOEXPERIMENT", "jsonv2", NOWHERE),
    ("GOROOT", "/opt/go", NOWHERE),
    ("GOWORK", "/work/go.work", NOWHERE),
    ("GODEBUG", "netdns=cgo", NOWHERE),
    ("CGO_ENABLED", "1", NOWHERE),
    ("GOPROXY", "https://mirror.example", ALL),
    ("GOSUMDB", "off", ALL),
    ("GOPRIVATE", "example.com", ALL),
    ("GOINSECURE", "example.com", ALL),
    ("GOMODCACHE", "/cache/mod", ALL),
    ("GOPATH", "/cache/go", ALL),
    ("GOENV", "/root/goenv", ALL),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/root/key.json", ALL),
    # pip and proxies
    ("PIP_INDEX_URL", "https://mirror.example", ALL),
    ("PIP_FIND_LINKS", "/opt/wheels", ALL),
    ("PIP_CONSTRAINT", "/root/constraints.txt", NOWHERE),
    ("PIP_TARGET", "/root/target", NOWHERE),
    ("HTTP_PROXY", "http://proxy.example:3128", DOWNLOADS),
    ("https_proxy", "http://proxy.example:3128", DOWNLOADS),
    ("ALL_PROXY", "socks5://proxy.example", DOWNLOADS),
    ("no_proxy", "example.com", DOWNLOADS),
    # git, shells, services
    ("GIT_DIR", "/work/.git", NOWHERE),
    ("GIT_SSL_CAINFO", "/etc/ca.pem", ALL),
    ("BASH_ENV", "/root/.bashrc", NOWHERE),
    ("BASH_FUNC_ls%%", "() { rm; }", NOWHERE),
    ("TAR_OPTIONS", "--totals", NOWHERE),
    ("NOTIFY_SOCKET", "/run/systemd/notify", NOWHERE),
    # the rest
    ("COLUMNS", "80", ALL),
    ("LINES", "24", ALL),
    ("TERM", "xterm", ALL),
    ("SSL_CERT_FILE", "/etc/ca.pem", ALL),
    ("MESHPROOF_STORE", "/cache", ALL),
    ("LANG", "de_DE.UTF-8", PYTEST),
    ("LC_MESSAGES", "de_DE.UTF-8", PYTEST),
]


@pytest.mark.parametrize(("name", "value", "where"), TABLE, ids=[row[0] for row in TABLE])
def test_where_a_variable_goes(name: str, value: str, where: frozenset[str]) -> None:
    environ = {name: value}
    programs = for_programs(environ)
    given = {
        "programs": programs,
        "pytest": for_pytest(environ),
        "docker": {**programs, **for_docker(environ)},
        "downloads": {**programs, **for_downloads(environ)},
    }
    assert {one for one, found in given.items() if found.get(name) == value} == where


def test_every_rule_has_a_reason_and_is_reached() -> None:
    for rule in RULES:
        assert rule.reason
        for pattern in rule.names.split():
            assert rule_of(pattern.replace("*", "X")) is rule, pattern


def test_no_defaults_of_istioctl_are_read() -> None:
    named = for_programs({"ISTIOCONFIG": "/root/.istioctl/config.yaml"})["ISTIOCONFIG"]
    text = Path(named).read_text(encoding="utf-8")
    assert all(line.startswith("#") for line in text.splitlines())
    assert Path(named).suffix == ".yaml"  # without an ending istioctl finds no file


def test_programs_speak_the_language_that_is_read() -> None:
    german = {"LANG": "de_DE", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    found = for_programs(german)
    assert found["LC_ALL"] == "C.UTF-8"
    assert not {"LANG", "LANGUAGE"} & found.keys()
    assert dropped(german) == []


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({}, "/home/user"),
        ({"HOME": ""}, "/home/user"),
        ({"HOME": "/gone"}, "/home/user"),
        ({"HOME": "tmp"}, "/home/user"),
        ({"HOME": "/tmp"}, "/tmp"),
    ],
    ids=str,
)
def test_a_home_that_is_no_folder_is_the_users_own(named: dict[str, str], found: str) -> None:
    assert home(named, users=lambda: "/home/user") == found
    assert for_programs(named, users=lambda: "/home/user")["HOME"] == found
    assert for_pytest(named, users=lambda: "/home/user")["HOME"] == found


def test_without_an_environment_programs_have_what_they_need() -> None:
    found = for_programs({}, users=lambda: "/home/user")
    assert found["HOME"] == "/home/user"
    assert "/usr/sbin" in found["PATH"].split(":")
    assert for_programs({"PATH": ""})["PATH"] == found["PATH"]
    assert for_programs({"PATH": "/only"})["PATH"] == "/only"


@pytest.mark.parametrize("folder", ["/gone", "", "tmp"])
def test_a_folder_for_temporary_files_that_is_not_there_is_not_handed_on(folder: str) -> None:
    assert "TMPDIR" not in for_programs({"TMPDIR": folder})
    assert for_programs({"TMPDIR": "/tmp"})["TMPDIR"] == "/tmp"


def test_what_is_not_heeded_is_named_once() -> None:
    environ = {
        "KUBECONFIG": "/root/.kube/config",
        "PYTEST_ADDOPTS": "-x",
        "ISTIOCONFIG": "",
        "PYTEST_CURRENT_TEST": "this one",
        "HTTP_PROXY": "http://proxy.example",
        "DOCKER_HOST": "unix:///run/docker.sock",
        "HOME": "/gone",
        "TMPDIR": "/tmp",
        "LANG": "C",
    }
    expected = ["HOME", "KUBECONFIG", "PYTEST_ADDOPTS"]
    assert dropped(environ) == expected
    assert taken_away(for_pytest(environ)) == expected


def test_pytest_loads_no_plugins_by_itself() -> None:
    assert for_pytest({})["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "1"
    assert for_pytest({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""})["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]


def test_a_shells_programs_find_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/root/.kube/config")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("COLUMNS", "77")
    monkeypatch.delenv("HOME")
    shell = Shell(env={"MESHPROOF_RUN": "0a1b2c3d"})
    found = dict(line.split("=", 1) for line in shell.run(["env"]).stdout.splitlines())
    assert not {"KUBECONFIG", "HTTPS_PROXY"} & found.keys()
    assert (found["COLUMNS"], found["MESHPROOF_RUN"]) == ("77", "0a1b2c3d")
    assert found["HOME"].startswith("/")
    proxied = shell.run(["env"], env=for_downloads(os.environ)).stdout
    assert "HTTPS_PROXY=http://proxy.example\n" in proxied


def test_programs_are_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert find_program("sh") is not None
    assert Shell().run(["sh", "-c", "echo here"]).stdout == "here\n"


def test_variables_are_set_aside_for_an_import_and_come_back() -> None:
    environ = {"TC_HOST": "elsewhere", "HOME": "/root", "TERM": "xterm"}
    before = dict(environ)
    with pytest.raises(ValueError, match="malformed"), set_aside(environ, "TC_* RYUK_*"):
        assert environ == {"HOME": "/dev/null", "TERM": "xterm"}
        raise ValueError("malformed")
    assert environ == before
    homeless = {"TERM": "xterm"}
    with set_aside(homeless, "TC_*"):
        pass
    assert homeless == {"TERM": "xterm"}
