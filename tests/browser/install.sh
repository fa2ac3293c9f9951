#!/bin/sh
# Installs Chromium from the distribution where it is missing and root may do so.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing chromium from the distribution"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium fonts-dejavu-core >/dev/null
fi
if ! command -v chromium >/dev/null; then
    echo "the tests of the report need chromium: install it (apt-get install chromium)" >&2
    exit 2
fi
