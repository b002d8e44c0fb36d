#!/usr/bin/env bash
# Sets up and passes every check, on a bare Debian machine with Python: bash tests/run.sh
# Arguments go to pytest, which has two workers; -n 0 makes it one process.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() {
    echo "installing $*" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if ! PATH="$PATH:/usr/sbin" command -v mariadbd >/dev/null; then
    (
        # the tests start servers of their own: keep the package from starting one
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
            printf '#!/bin/sh\nexit 101\n' |
                as_root install -m 755 /dev/stdin /usr/sbin/policy-rc.d
        fi
        apt_install mariadb-server
    )
fi

if ! command -v chromium >/dev/null; then
    # without a font the browser draws text of no width
    apt_install chromium fonts-dejavu-core
fi

if ! command -v java >/dev/null; then
    # Spark runs on it; where manuals are left out, the package misses their folder
    as_root mkdir -p /usr/share/man/man1
    apt_install openjdk-17-jre-headless
fi

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    echo "installing uv" >&2
    if ! python3 -m pip --version >/dev/null 2>&1; then
        apt_install python3-pip
    fi
    # in a folder of its own, since Debian keeps pip out of its system packages
    python3 -m pip install --quiet --disable-pip-version-check --target .venv-uv uv
    uv=$PWD/.venv-uv/bin/uv
fi
PATH="$PATH:$(dirname "$uv")"

# beside what follows; without it, the tests for both servers run on MariaDB alone and say so
timeout 300 bash tests/mysql.sh &
mysql=$!

UV_COMPILE_BYTECODE=1 "$uv" sync --quiet --group test --group lint
.venv/bin/ruff check .
.venv/bin/ruff format --check --quiet .
.venv/bin/mypy
wait "$mysql" || true
# by file, since tests of a file share mirrors; in their order, so that a long file is not the last
exec .venv/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
