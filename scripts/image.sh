#!/bin/sh
# Writes the contract as buf reads it without its registry, an image with all imports in it: scripts/image.sh FILE
set -eu
include=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$(dirname "$1")"
.venv/bin/python -m grpc_tools.protoc -Iprotos "-I$include" --include_imports --include_source_info -o "$1" \
    protos/heartline/v1/*.proto
