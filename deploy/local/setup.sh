#!/usr/bin/env bash
# Makes the virtual environment .venv with all libraries, or says in one line what is in the way.
# Run from the root of the checkout, by `make setup`.
set -uo pipefail

readonly venv=.venv ready=.venv/.ready log=.venv/setup.log needed_mb=500

stop() {
    echo "parity: $1" >&2
    exit 1
}

free_mb() {
    df -Pk . | awk 'NR == 2 { print int($4 / 1024) }'
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

is_usable() {
    [ -x "$venv/bin/python" ] && is_new_enough "$venv/bin/python" && "$venv/bin/python" -m pip -V >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

make_venv() {
    local python
    python=$(find_python) || stop "no Python 3.11 or newer found; install it, or name it: make PYTHON=/path/to/python3.11"
    [ "$(free_mb)" -ge "$needed_mb" ] ||
        stop "the disk is full: $(free_mb) MB are free and the libraries need $needed_mb; free some space and try again."
    rm -rf "$venv" || stop "cannot remove the half-made $venv; remove it yourself and try again."
    echo "Making $venv with $("$python" -V)."
    "$python" -m venv "$venv" >/dev/null 2>&1 ||
        stop "$python cannot make a virtual environment; install its venv module (Debian, Ubuntu: apt install python3-venv)."
}

install() {
    echo "Installing the libraries (about a minute, once)."
    "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet \
        --constraint constraints.txt --editable '.[local,dev]' >"$log" 2>&1 && return
    if grep -qi 'no space left' "$log" || [ "$(free_mb)" -lt 50 ]; then
        stop "the disk is full: $(free_mb) MB are free and the libraries need $needed_mb; free some space and try again."
    fi
    stop "pip could not install the libraries: $(grep -E '^ERROR' "$log" | tail -1) (all it said: $log)"
}

[ -w . ] || stop "this folder cannot be written; clone Parity where you may write."
is_usable || make_venv
install
date -u +%FT%TZ >"$ready" || stop "the disk is full; free some space and try again."
