#!/usr/bin/env bash
# Does what docs/stubs.md says, as it stands there, against a server of its own: scripts/try-stubs.sh [go] [ts]
set -euo pipefail
cd "$(dirname "$0")/.."
export HEARTLINE=$PWD SERVER
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; chmod -R +w "$work"; rm -rf "$work"' EXIT

exec 3< <(exec .venv/bin/heartline serve --listen 127.0.0.1:0 --store memory: --log-level warning)
server=$!
read -r -t 30 -u 3 line || { echo "the server did not start" >&2; exit 1; }
SERVER=$(sed -n 's/^heartline: serving on \([^,]*\),.*/\1/p' <<<"$line")

block() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```$/ { on = 0 } on' docs/stubs.md; }

[ $# -gt 0 ] || set -- go ts
for language; do
    mkdir "$work/$language"
    block "$language" >"$work/$language/main.$language"
    block "sh $language" >"$work/$language/do.sh"
    (cd "$work/$language" && timeout 600 bash -euo pipefail do.sh) >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    for way in polled pushed; do
        grep "^$way: " "$work/log" || { cat "$work/log" >&2; exit 1; }
    done
done
