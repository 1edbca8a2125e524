#!/usr/bin/env bash
# Sets up what is missing, starts the site and everything that keeps improving it, and tells how it is doing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

VENV=.venv
CLI=$VENV/bin/aiimprove

usage() {
    cat <<'USAGE'
./start_ai_system.sh [command]

  start      (default) set up what is missing, start live, dev, the gateway and the loop; print the addresses
  setup      only set up what is missing
  status     what is live, how healthy it is, what happens next
  ai-status  the same, for programs (JSON)
  logs       the logs; 'logs NAME' one of them, '-f' goes on
  stop       stop everything
  restart    stop, then start
  upgrade    after 'git pull': set up what is new, and have it take over while the site serves
  test       set up what the tests need and run them all
USAGE
}

fail() {
    echo "start_ai_system.sh: $*" >&2
    exit 2
}

python_of_this_machine() {
    local candidate
    for candidate in python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found"
}

need_tools() {
    command -v git >/dev/null || fail "git is needed and was not found"
    command -v node >/dev/null || fail "Node 20 or newer is needed (the site's front end runs on it) and was not found"
    command -v npm >/dev/null || fail "npm is needed (it comes with Node) and was not found"
    [ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] \
        || fail "Node 20 or newer is needed, this is $(node --version)"
}

# install STAMP FILE...: pip-install hashed requirements once for their content.
install() {
    local stamp=$VENV/.stamp-$1 wanted
    shift
    wanted=$(cat "$@" pyproject.toml | cksum)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
    echo "Installing $* ..."
    local pip=("$VENV/bin/python" -m pip --quiet --disable-pip-version-check install)
    local each
    for each in "$@"; do
        quietly "${pip[@]}" --require-hashes -r "$each"
    done
    quietly "${pip[@]}" --no-deps --no-build-isolation -e .
    echo "$wanted" >"$stamp"
}

# quietly WORDS...: run them; what they say is only shown when they fail.
quietly() {
    local said=$VENV/setup.log
    "$@" >"$said" 2>&1 || { tail -n 20 "$said" >&2; fail "'$*' did not work; all that it said is in $PWD/$said"; }
}

setup() {
    need_tools
    [ -x $VENV/bin/python ] || { echo "Making a virtual environment in $VENV ..."; "$(python_of_this_machine)" -m venv $VENV; }
    install core ai_requirements.txt
}

setup_tests() {
    setup
    install tests ai_requirements.txt ai_requirements-dev.txt
    command -v chromium >/dev/null || command -v google-chrome >/dev/null || install_package Chromium chromium
    command -v systemd-analyze >/dev/null || install_package "systemd-analyze" systemd
}

# install_package WHAT PACKAGE: from the distribution, for root on Debian; else it says what is missing.
install_package() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null \
        || fail "the tests need $1: install it (Debian: apt-get install $2)"
    echo "Installing $1 ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

need_setup() {
    [ -x $CLI ] || fail "nothing is set up yet: './start_ai_system.sh' does it"
}

command=${1:-start}
[ $# -gt 0 ] && shift
case $command in
    start) setup; exec $CLI up "$@" ;;
    setup) setup; echo "Everything is set up." ;;
    status) need_setup; exec $CLI status "$@" ;;
    ai-status) need_setup; exec $CLI status --json "$@" ;;
    logs) need_setup; exec $CLI logs "$@" ;;
    stop) need_setup; exec $CLI down "$@" ;;
    restart) setup; $CLI down; exec $CLI up "$@" ;;
    upgrade) setup; exec $CLI upgrade "$@" ;;
    test) setup_tests; exec $VENV/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
esac
