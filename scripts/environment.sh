#!/bin/sh
# Makes a virtual environment, or leaves it alone when it is up to date:
#   scripts/environment.sh FOLDER CONSTRAINTS PYTHON REQUIREMENT...
#
# The key of what is installed (the Python, the pins, pyproject.toml, the requirements, the place) is written last, so an
# interrupted set-up is done anew.
set -eu
folder=$1 constraints=$2 python=$3
shift 3

key=$({ echo "$python" "$PWD" "$@"; "$python" --version; cat "$constraints" pyproject.toml; } | git hash-object --stdin)
[ "$key" = "$(cat "$folder/.key" 2>/dev/null || true)" ] && exit 0

echo "setting up $folder with $("$python" --version), once for these pins" >&2
# Settings of the person's own pip for mirrors and certificates stay in force; these would spoil a virtual environment.
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX PIP_CONSTRAINT
export PIP_DISABLE_PIP_VERSION_CHECK=1
rm -rf "$folder"
"$python" -m venv "$folder"
pip() { "$folder/bin/python" -m pip install --quiet --constraint "$constraints" "$@"; }
# Build tools are pinned too, so they are installed first and used from there.
case " $* " in *" ."*) pip hatchling editables setuptools ;; esac
pip --no-build-isolation "$@"
echo "$key" >"$folder/.key"
