#!/usr/bin/env bash
# Fetches a MySQL server into .mysql/, beside the system: bash tests/mysql.sh
#
# Debian's releases have MariaDB alone; its unstable packages have MySQL, built for a newer C
# library than the system's, so that it is unpacked with all that it needs and started with its
# own loader. apt works in a folder of its own: nothing of the system changes.
set -euo pipefail
cd "$(dirname "$0")/.."

# another series is a change to make, not one to meet on some morning
SERIES=9.7
HERE=$PWD/.mysql

if [ -x "$HERE/mysqld" ]; then
    exit
fi
rm -rf "$HERE"
mkdir -p "$HERE"/apt/{lists/partial,archives/partial} "$HERE/root"
trap '[ -x "$HERE/mysqld" ] || echo "MySQL cannot be had from Debian'\''s unstable packages" >&2' EXIT
echo "fetching MySQL" >&2

. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    "Created-By: Packages" "Release: $VERSION_CODENAME" "Component: main" | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys target=Packages lang=none] $mirror sid main" >"$HERE/apt/sources.list"
: >"$HERE/apt/status"
apt=(
    apt-get -qq
    -o Dir::Etc::SourceList="$HERE/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o Dir::State="$HERE/apt" -o Dir::State::Status="$HERE/apt/status"
    -o Dir::Cache="$HERE/apt" -o Dir::Log="$HERE/apt"
    -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 -o Acquire::Retries=3
)
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends --download-only \
    "mysql-server-core=$SERIES.*" >/dev/null
for package in "$HERE"/apt/archives/*.deb; do
    dpkg-deb --extract "$package" "$HERE/root"
done
rm -rf "$HERE/apt"

cat >"$HERE/starter" <<'SH'
#!/bin/sh
# Starts this MySQL: options go to it.
root=$(dirname "$(readlink -f "$0")")/root
exec "$root"/usr/lib*/ld-linux-*.so.* --library-path "$(echo "$root"/usr/lib/*-linux-gnu)" \
    "$root/usr/sbin/mysqld" --no-defaults --basedir="$root/usr" \
    --lc-messages-dir="$root/usr/share/mysql" \
    --character-sets-dir="$root/usr/share/mysql/charsets" \
    --plugin-dir="$root/usr/lib/mysql/plugin" --secure-file-priv=NULL "$@"
SH
chmod +x "$HERE/starter"
# proves that it runs here, and spares each server of the tests the making of its tables
"$HERE/starter" --initialize-insecure --user="$(id -un)" --datadir="$HERE/data" \
    --innodb-redo-log-capacity=8388608 2>"$HERE/log" || { tail "$HERE/log" >&2; exit 1; }
mv "$HERE/starter" "$HERE/mysqld"
