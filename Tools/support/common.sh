# Shell functions that the scripts in Tools share. Sourced by bash scripts that run with `set -euo pipefail`.
# Keeps: every script says what it does now, and a failure names the step that failed and the line.

export LC_ALL=C

# The checkout these scripts belong to.
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=${0##*/}
current_step="start"

say() { printf '%s\n' "$*"; }
note() { printf '   %s\n' "$*"; }

# step TEXT: a heading; failures name it.
step() {
    current_step=$1
    printf '\n==> %s\n' "$1"
}

die() {
    printf '%s: %s\n' "$script" "$*" >&2
    exit 1
}

# To be set as ERR trap: trap 'failed $LINENO' ERR
failed() {
    [ "$BASH_SUBSHELL" -eq 0 ] || return 0  # the script itself reports it
    printf '\n%s: failed in step "%s" (line %s): %s\n' "$script" "$current_step" "$1" "$BASH_COMMAND" >&2
}

# missing_packages PACKAGE...: prints those of the Debian packages that are not installed.
missing_packages() {
    local installed package
    # dpkg-query fails when it never heard of one of them; it prints the others all the same.
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    installed=" $(awk '$1 == "installed" { print $2 }' <<<"$installed" | tr '\n' ' ')"
    for package in "$@"; do
        case $installed in *" $package "*) ;; *) printf '%s\n' "$package" ;; esac
    done
}

# install_packages PACKAGE...: installs what is missing; asks the mirrors only then, and once more when they fail.
install_packages() {
    local missing attempt
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || {
        note "not installed, and installing needs root: ${missing[*]}"
        return 1
    }
    note "installing: ${missing[*]}"
    for attempt in 1 2; do
        [ "$attempt" -eq 1 ] || { note "trying once more"; sleep 3; }
        apt-get -qq -o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
            update </dev/null || true
        if DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
            -o Dpkg::Use-Pty=0 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
            install "${missing[@]}" </dev/null >"${TMPDIR:-/tmp}/lamina-apt.$$" 2>&1; then
            rm -f "${TMPDIR:-/tmp}/lamina-apt.$$"
            return 0
        fi
        tail -n 5 "${TMPDIR:-/tmp}/lamina-apt.$$" >&2
        rm -f "${TMPDIR:-/tmp}/lamina-apt.$$"
    done
    return 1
}

# elapsed START: the time since $SECONDS was START.
elapsed() { printf '%d s' $((SECONDS - $1)); }

# build_lamina CONFIGURATION: builds the package and sets `lamina` to the program. Silent unless it fails.
# LAMINA in the environment names a program to take instead.
build_lamina() {
    local log
    lamina=${LAMINA:-}
    [ -z "$lamina" ] || return 0
    log=$(mktemp)
    if ! (cd "$repository" && swift build -c "$1" --product lamina && swift build -c "$1" --product lamina-mountd) \
        </dev/null >"$log" 2>&1; then
        grep -E 'error|warning' "$log" >&2 || tail -n 20 "$log" >&2
        rm -f "$log"
        die "swift build -c $1 failed; the messages stand above"
    fi
    rm -f "$log"
    lamina=$(cd "$repository" && swift build -c "$1" --show-bin-path)/lamina
}
