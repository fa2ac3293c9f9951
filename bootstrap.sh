#!/bin/sh
# Makes the virtual environment; on Debian and Ubuntu installs Python first where it is missing.
# Usage: bootstrap.sh PYTHON VENV
set -eu
python=$1
venv=$2

usable() {
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if ! usable; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "Installing python3 and python3-venv from the distribution"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            python3 python3-venv >/dev/null
    fi
    if ! usable; then
        echo "meshproof needs Python 3.11 or later with venv: install it, or set PYTHON=…" >&2
        exit 2
    fi
fi

"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
# pip compiles what it installs, but not what it only links to; where Python may write no bytecode
# (PYTHONDONTWRITEBYTECODE), every command would compile all of it.
"$venv/bin/python" -m compileall -q meshproof fixtures suites
