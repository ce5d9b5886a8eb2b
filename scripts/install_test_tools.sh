#!/bin/sh
# Installs the system programs that the tests use, when run by root on Debian or Ubuntu;
# otherwise says what is missing. With the argument "bench": the benchmark's too.
# Never fails for a missing program: the tests that need it say so themselves.
set -eu

packages=""
want() { # program, package, what does without it
    if ! command -v "$1" >/dev/null 2>&1; then
        packages="$packages $2"
        missing="${missing:-}  $1 (Debian's package $2): $3
"
    fi
}

want node nodejs "without it, the tests of Plaid's Node.js SDK are skipped"
want npm npm "without it, the tests of Plaid's Node.js SDK are skipped"
want chromium-headless-shell chromium-headless-shell \
    "without it, the tests of pages use chromium, which takes longer, or are skipped"
if [ "${1:-}" = bench ]; then
    want wrk wrk "without it, the benchmark cannot make its load"
fi

[ -n "$packages" ] || exit 0

if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; then
    log=$(mktemp)
    echo "Installing$packages"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    if { apt-get update -q && apt-get install -q -y --no-install-recommends $packages; } \
        >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
fi

printf 'Missing programs:\n%s' "$missing" >&2
