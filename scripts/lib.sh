# shellcheck shell=bash
# Shared by the scripts that start services. Sourced, not run.

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# A port nobody listens on now. Below the ephemeral range, so that an outgoing connection does not take it.
# Someone else may still be faster: callers try again with another one.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# The folder of the newest installed PostgreSQL's programs. Debian keeps them off PATH.
postgres_bin() {
    local bin
    bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    if [ ! -x "$bin/initdb" ]; then
        bin=$(command -v initdb) || return 1
        bin=$(dirname "$(readlink -f "$bin")")
    fi
    [ -x "$bin/pg_ctl" ] && [ -x "$bin/postgres" ] && echo "$bin"
}
