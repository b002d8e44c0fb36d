#!/usr/bin/env bash
# Sets up and passes every check, on a bare Debian machine with Python: bash tests/run.sh
# Arguments go to pytest, which has two workers; -n 0 makes it one process. All checks are of the
# newest DuckDB, and where no arguments choose among them, some before of the oldest that will do;
# --oldest in front of all arguments makes it the oldest for all. --quick there, for daily work,
# leaves out what needs a server, a browser or Java, and what is slow.
set -euo pipefail
cd "$(dirname "$0")/.."

quick= oldest=
case "${1-}" in
--quick)
    quick=yes
    shift
    ;;
--oldest)
    oldest=all
    shift
    ;;
"") oldest=some ;;
esac

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() {
    echo "installing $*" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
is_missing() { [ -z "$quick" ] && ! PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null; }

if is_missing mariadbd; then
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

if is_missing chromium; then
    # without a font the browser draws text of no width
    apt_install chromium fonts-dejavu-core
fi

if is_missing java; then
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

if [ -z "$quick" ]; then
    # beside what follows; without it, the tests for both servers run on MariaDB alone and say so
    timeout 300 bash tests/mysql.sh &
    mysql=$!
fi

UV_COMPILE_BYTECODE=1 "$uv" sync --quiet --group test --group lint --upgrade-package duckdb
if [ -z "$quick" ]; then
    # IBL's own library, apart
    .venv/bin/python tests/one_api.py &
    one=$!
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check --quiet .
.venv/bin/mypy
if [ -n "$oldest" ]; then
    UV_PROJECT_ENVIRONMENT=.venv-oldest UV_COMPILE_BYTECODE=1 "$uv" sync --quiet --group test
    "$uv" pip install --quiet --python .venv-oldest \
        "duckdb==$(sed -n 's/.*"duckdb>=\([0-9.]*\),.*/\1/p' pyproject.toml)"
fi
# by file, since tests of a file share mirrors; in their order, so that a long file is not the last
pytest=(bin/pytest -n 2 --dist loadfile --no-loadscope-reorder)
if [ -n "$quick" ]; then
    exec .venv/"${pytest[@]}" --quiet \
        -m "not (server or browser or spark or slow or network)" "$@"
fi
wait "$one"
wait "$mysql" || true
if [ "$oldest" = all ]; then
    exec .venv-oldest/"${pytest[@]}" "$@"
elif [ "$oldest" = some ]; then
    .venv-oldest/"${pytest[@]}" --quiet tests/test_{base_views,output,store,sync,views}.py
fi
exec .venv/"${pytest[@]}" "$@"
