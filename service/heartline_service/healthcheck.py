"""Asks a server whether it serves: `python -m heartline_service.healthcheck [HOST:PORT]`, for containers and scripts.

Exit code 0: it serves. 1: it does not, or cannot be reached. Without an address, HEARTLINE_LISTEN says where.
"""

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

TIMEOUT = 3.0
"""Seconds to wait for the answer."""

ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""Where to call a server that listens on all addresses."""


def is_serving(address: str) -> bool:
    """Whether the server at `address` answers that it serves."""
    host, _, port = address.rpartition(":")
    target = f"{ANYWHERE.get(host, host)}:{port}"
    with grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # its type stubs lack it
        try:
            answer: health_pb2.HealthCheckResponse = check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
        except grpc.RpcError:
            return False
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def main() -> int:
    """Answers by exit code, with a word for the container's log."""
    address = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("HEARTLINE_LISTEN", "127.0.0.1:50051")
    serving = is_serving(address)
    print(f"{address} {'serves' if serving else 'does not serve'}")
    return 0 if serving else 1


if __name__ == "__main__":
    sys.exit(main())
