#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of the named sections of packages.txt that are missing.
#   scripts/install-packages.sh build test
# SLUICE_SKIP_DEPS=1 skips it (another distribution, where you installed the equivalents).
set -euo pipefail
cd "$(dirname "$0")"

fail() {
    printf 'sluice: %s\n' "$*" >&2
    exit 1
}

packages_of() {
    awk -v section="[$1]" '
        { sub(/#.*/, ""); gsub(/[ \t]+/, "") }
        /^\[/ { inside = ($0 == section); next }
        inside && NF' packages.txt
}

[[ -z ${SLUICE_SKIP_DEPS:-} ]] || exit 0

wanted=()
for section in "$@"; do
    mapfile -t -O "${#wanted[@]}" wanted < <(packages_of "$section")
done
((${#wanted[@]})) || fail "packages.txt has no section among: $*"

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    fail "this system has no apt-get. Sluice builds on Debian 12 or newer; elsewhere install the" \
        "equivalents of scripts/packages.txt and set SLUICE_SKIP_DEPS=1."

installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
    command -v sudo >/dev/null ||
        fail "these packages are missing and this is neither root nor is there sudo: ${missing[*]}"
    as_root=(sudo)
fi

# Daemons among the packages (nginx, prometheus) are programs to us, not services: the policy
# keeps them from being started, and a machine with systemd from starting them at the next boot.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi

printf 'sluice: installing %d packages: %s\n' "${#missing[@]}" "${missing[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120)
"${apt[@]}" update || fail "apt-get update failed; is the package mirror reachable?"
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]}"

for service in nginx redis-server prometheus haproxy varnish varnishncsa caddy; do
    if [[ -d /run/systemd/system ]] && grep -q "$service" <<<"${missing[*]}"; then
        "${as_root[@]}" systemctl disable --quiet "$service" || true
    fi
done
