"""Says which environment variables of whoever calls are heeded, by which programs, and why.

What is named nowhere here is handed on to every program. Nothing here changes the process's own
environment: each function gives the environment that a program is started with.
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Flag, auto
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path


class Goes(Flag):
    """The programs that find a variable in their environment."""

    NOWHERE = 0
    PROGRAMS = auto()
    """All that meshproof starts, wherever it starts them from."""
    DOWNLOADS = auto()
    """Those that fetch something from elsewhere: go, pip, apt, debootstrap, pulls."""
    DOCKER = auto()
    """docker itself, and what talks to its daemon."""
    PYTEST = auto()
    """The pytest that runs the suites, and that starts all the others."""


EVERYWHERE = Goes.PROGRAMS | Goes.DOWNLOADS | Goes.DOCKER | Goes.PYTEST


@dataclass(frozen=True, slots=True)
class Rule:
    """Where variables go. ``names``: patterns of a shell's, apart by blanks; ``told``: whether
    the record says so when one was set that goes nowhere."""

    names: str
    goes: Goes
    reason: str
    told: bool = True


GO_MODULES = (
    "GOPROXY",
    "GOSUMDB",
    "GONOSUMDB",
    "GOPRIVATE",
    "GONOPROXY",
    "GOINSECURE",
    "GOAUTH",
    "GOVCS",
    "GOMODCACHE",
    "GOPATH",
)
"""Where Go's modules come from and are kept."""
TESTCONTAINERS = "TESTCONTAINERS_* TC_* RYUK_*"
# The first rule that fits a name holds.
RULES = (
    # pytest
    Rule(
        "PYTEST_XDIST_* PYTEST_CURRENT_TEST PYTEST_VERSION",
        Goes.NOWHERE,
        "another run of pytest's own, which started this one",
        told=False,
    ),
    Rule("PYTEST_*", Goes.NOWHERE, "options and plugins would change which tests run"),
    Rule("ALLURE_*", Goes.NOWHERE, "a test plan would change which tests run"),
    # Python
    Rule(
        "PYTHONPATH PYTHONUSERBASE PYTHONNOUSERSITE PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX "
        "PYTHONUNBUFFERED PYTHONHASHSEED PYTHON_COLORS",
        EVERYWHERE,
        "where packages are, and what changes no result",
    ),
    Rule(
        "PYTHONUTF8 PYTHONIOENCODING",
        Goes.PYTEST,
        "how what we print is encoded; what we read of programs is UTF-8",
        told=False,
    ),
    Rule("PYTHONSAFEPATH", Goes.PYTEST, "set for it in any case", told=False),
    Rule("PYTHON*", Goes.NOWHERE, "-O drops assertions, warnings become errors, -i never ends"),
    # Kubernetes and Helm
    Rule("KUBERNETES_*", Goes.NOWHERE, "the cluster that runs this pod", told=False),
    Rule("KUBE*", Goes.NOWHERE, "a lab's clusters are named by file"),
    Rule("HELM_*", Goes.NOWHERE, "repositories, plugins and clusters of the user's"),
    Rule("KIND_*", Goes.NOWHERE, "engine, network and cluster are the lab's"),
    # Istio
    Rule("ISTIOCONFIG ISTIOCTL_*", Goes.NOWHERE, "defaults for istioctl's options"),
    Rule("ISTIO_* PILOT_*", Goes.NOWHERE, "settings of istiod's, which istioctl reads too"),
    # podman
    Rule(
        "CONTAINERS_CONF CONTAINERS_CONF_OVERRIDE CONTAINERS_REGISTRIES_CONF "
        "CONTAINERS_STORAGE_CONF STORAGE_DRIVER STORAGE_OPTS NETAVARK_FW REGISTRY_AUTH_FILE "
        "PODMAN_IGNORE_CGROUPSV1_WARNING",
        EVERYWHERE,
        "the engine's own configuration, as its files are; the doctor reads it too",
    ),
    Rule(
        "CONTAINER_HOST CONTAINER_CONNECTION CONTAINER_SSHKEY CONTAINER_PROXY CONTAINER_TLS_* "
        "PODMAN_*",
        Goes.NOWHERE,
        "another machine's podman, or habits",
    ),
    # docker
    Rule("DOCKER_HOST DOCKER_CONTEXT", Goes.DOCKER | Goes.PYTEST, "which daemon docker talks to"),
    Rule(
        "DOCKER_CONFIG DOCKER_AUTH_CONFIG",
        EVERYWHERE,
        "where contexts and the credentials of registries are",
    ),
    Rule("DOCKER_* BUILDKIT_* BUILDX_*", Goes.NOWHERE, "another platform, API or way to connect"),
    Rule(TESTCONTAINERS, Goes.NOWHERE, "another host, or another name for an image"),
    # Go
    Rule(
        f"{' '.join(GO_MODULES)} GOENV GOTMPDIR GOMAXPROCS GOMEMLIMIT",
        EVERYWHERE,
        "where modules come from and are kept, and how much a build may take",
    ),
    Rule(
        "GOFLAGS GOOS GOARCH GO386 GOAMD64 GOARM GOARM64 GOEXPERIMENT GOROOT GOWORK GOTOOLCHAIN "
        "GOCACHE GOCACHEPROG GOBIN GODEBUG GOGC GOFIPS140 GO111MODULE GCCGO GOEXE GOHOSTARCH "
        "GOHOSTOS GOTOOLDIR CGO_*",
        Goes.NOWHERE,
        "builds would differ or break; GODEBUG changes every program written in Go",
    ),
    # what fetches
    Rule(
        "PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX PIP_TRUSTED_HOST PIP_CERT "
        "PIP_CLIENT_CERT PIP_PROXY PIP_TIMEOUT PIP_DEFAULT_TIMEOUT PIP_RETRIES PIP_CONFIG_FILE "
        "PIP_CACHE_DIR PIP_KEYRING_PROVIDER PIP_DISABLE_PIP_VERSION_CHECK PIP_NO_INPUT",
        EVERYWHERE,
        "where wheels come from",
    ),
    Rule("PIP_*", Goes.NOWHERE, "other wheels, or another folder, than the pinned ones"),
    Rule(
        "*_PROXY *_proxy",
        Goes.DOWNLOADS | Goes.PYTEST,
        "a proxy has no part in talking to clusters and to the engine on this machine",
    ),
    # git
    Rule(
        "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_COMMON_DIR GIT_PREFIX "
        "GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_NAMESPACE GIT_EXTERNAL_DIFF GIT_DIFF_OPTS",
        Goes.NOWHERE,
        "the repository of the hook that started us, or another way to show changes",
    ),
    # shells, and programs with habits
    Rule(
        "BASH_ENV SHELLOPTS BASHOPTS BASH_FUNC_* CDPATH POSIXLY_CORRECT PERL5OPT TAR_OPTIONS "
        "GREP_OPTIONS",
        Goes.NOWHERE,
        "what scripts and archives come to would change",
    ),
    Rule(
        "NOTIFY_SOCKET LISTEN_FDS LISTEN_PID LISTEN_FDNAMES WATCHDOG_PID WATCHDOG_USEC",
        Goes.NOWHERE,
        "systemd's service that started us: podman would hand it to containers, and wait",
        told=False,
    ),
    Rule("LC_* LANG LANGUAGE", Goes.PYTEST, "the words of programs are read", told=False),
)

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_HEEDED = "MESHPROOF_NOT_HEEDED"
"""By which the process that goes on as pytest tells it what was taken away."""
_NOBODYS_HOME = "/dev/null"
_WILD = frozenset("*?[")
# istioctl falls back to a file in the home directory when nothing names another.
_SET = {
    "LC_ALL": "C.UTF-8",
    "ISTIOCONFIG": str(Path(__file__).parent / "mesh" / "istioctl.yaml"),
}


def is_folder(path: str) -> bool:
    """Whether there is a folder of this absolute path that this process may enter."""
    return Path(path).is_absolute() and os.access(f"{path}/", os.X_OK)


def users_home() -> str:
    """The home directory that the system's list of users names for this process's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir or "/"
    except KeyError:
        return "/root" if os.getuid() == 0 else "/"


def home(
    environ: Mapping[str, str],
    *,
    exists: Callable[[str], bool] = is_folder,
    users: Callable[[], str] = users_home,
) -> str:
    """HOME, or where that names no folder the home directory in the system's list of users."""
    named = environ.get("HOME", "")
    return named if exists(named) else users()


def search_path(environ: Mapping[str, str]) -> str:
    """PATH, or where that is unset or empty the usual folders."""
    return environ.get("PATH") or _PATH


def find_program(name: str) -> str | None:
    """Where the program ``name`` is that ``Shell`` would start, or None."""
    return shutil.which(name, path=search_path(os.environ))


def for_programs(
    environ: Mapping[str, str],
    *,
    exists: Callable[[str], bool] = is_folder,
    users: Callable[[], str] = users_home,
) -> dict[str, str]:
    """What programs that meshproof starts find in their environment.

    ``exists`` and ``users`` look at this machine: whether a path is a folder, and whose home
    the user's is.
    """
    kept = {name: value for name, value in environ.items() if Goes.PROGRAMS in goes(name)}
    if not exists(kept.get("TMPDIR", "")):
        kept.pop("TMPDIR", None)
    return {
        **kept,
        "HOME": home(environ, exists=exists, users=users),
        "PATH": search_path(environ),
        **_SET,
    }


def for_downloads(environ: Mapping[str, str]) -> dict[str, str]:
    """What programs that fetch something from elsewhere find besides: proxies."""
    return _besides(environ, Goes.DOWNLOADS)


def for_docker(environ: Mapping[str, str]) -> dict[str, str]:
    """What docker finds besides: which daemon it talks to."""
    return _besides(environ, Goes.DOCKER)


def for_pytest(
    environ: Mapping[str, str],
    *,
    exists: Callable[[str], bool] = is_folder,
    users: Callable[[], str] = users_home,
) -> dict[str, str]:
    """The environment of the pytest that meshproof goes on as.

    It loads no plugins but those that its command line names, and ``dropped`` tells it what was
    taken away here.
    """
    kept = {name: value for name, value in environ.items() if Goes.PYTEST in goes(name)}
    return {
        **kept,
        "HOME": home(environ, exists=exists, users=users),
        "PATH": search_path(environ),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONSAFEPATH": "1",  # for xdist's workers: nothing is imported from where we are run
        _NOT_HEEDED: " ".join(dropped(environ, exists=exists)),
    }


def dropped(environ: Mapping[str, str], *, exists: Callable[[str], bool] = is_folder) -> list[str]:
    """The variables that were set and that no program of ours heeds, sorted, for the record.

    Those that a machine sets by itself are not among them.
    """
    found = {
        name
        for name, value in environ.items()
        if value and (rule := rule_of(name)) is not None and rule.told and not rule.goes
    }
    found |= {
        name for name in ("HOME", "TMPDIR") if environ.get(name) and not exists(environ[name])
    }
    return sorted(found)


def taken_away(environ: Mapping[str, str]) -> list[str]:
    """What ``for_pytest`` took away from the process that went on as this one."""
    return environ.get(_NOT_HEEDED, "").split()


def goes(name: str) -> Goes:
    """The programs that find the variable ``name`` in their environment."""
    rule = rule_of(name)
    return EVERYWHERE if rule is None else rule.goes


@cache
def rule_of(name: str) -> Rule | None:
    """The rule for the variable ``name``; None when nothing is said of it."""
    for rule in RULES:
        if any(_fits(name, pattern) for pattern in rule.names.split()):
            return rule
    return None


def _fits(name: str, pattern: str) -> bool:
    """As ``fnmatchcase``, which compiles an expression for each plain name as well."""
    return fnmatchcase(name, pattern) if _WILD.intersection(pattern) else name == pattern


@contextmanager
def set_aside(environ: MutableMapping[str, str], names: str) -> Iterator[None]:
    """Take variables, and the user's home with its files, out of the process's own environment
    inside the block: for libraries that read them when they are imported.

    ``names``: patterns as in a Rule. Not to be used while other threads run.
    """
    before = dict(environ)
    for name in before:
        if any(fnmatchcase(name, pattern) for pattern in names.split()):
            del environ[name]
    environ["HOME"] = _NOBODYS_HOME
    try:
        yield
    finally:
        environ.pop("HOME", None)
        environ.update(before)


def _besides(environ: Mapping[str, str], which: Goes) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if which in goes(name) and Goes.PROGRAMS not in goes(name)
    }
