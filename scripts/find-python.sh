#!/bin/sh
# Prints the path of a Python that can make virtual environments: scripts/find-python.sh LOWEST [HIGHEST]
#
# LOWEST and HIGHEST are minor versions of Python 3, both included. The one that
# .venv was made from goes first, so that set-up stays as it is when another environment is active; then python3.
set -eu
lowest=$1 highest=${2:-99}

answer() { # the interpreter's path if its version fits; a virtual environment's Python answers with the one it was made from
    "$1" -c "import os, sys; $lowest <= sys.version_info[1] <= $highest and print(os.path.realpath(sys._base_executable))" 2>/dev/null
}

bare=
for name in .venv/bin/python python3 python3.15 python3.14 python3.13 python3.12 python3.11 python; do
    found=$(answer "$name") || continue
    [ -n "$found" ] || continue
    if "$found" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$found"
        exit 0
    fi
    bare=${bare:-$found}
done

if [ -n "$bare" ]; then
    echo "$bare cannot make virtual environments, as its modules venv and ensurepip are missing." >&2
    echo "On Debian and Ubuntu: apt-get install python3-venv" >&2
elif [ "$highest" = 99 ]; then
    echo "Heartline needs Python 3.$lowest or newer, and none is on the PATH (python3 is: $(python3 --version 2>&1 || true))." >&2
else
    echo "This needs a Python from 3.$lowest to 3.$highest, and none is on the PATH." >&2
fi
exit 69
