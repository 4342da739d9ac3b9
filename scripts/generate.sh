#!/bin/sh
# Writes the Python code of the contract, with type stubs: scripts/generate.sh PYTHON FOLDER
#
# PYTHON is that of an environment made with constraints/oldest.txt. Protos without a service get no service stubs.
set -eu
bin=$(dirname "$1") out=$2
include=$("$1" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

protoc() { PATH="$bin:$PATH" "$bin/python" -m grpc_tools.protoc -Iprotos "-I$include" "$@"; }

mkdir -p "$out"
protoc "--python_out=$out" "--pyi_out=$out" protos/heartline/v1/*.proto
protoc "--grpc_python_out=$out" "--mypy_grpc_out=quiet:$out" protos/heartline/v1/*_service.proto
