"""HAProxy and nginx as people put them before several nodes, on the loopback."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from e2e.process import Program
from redis_servers import free_port
from tools import path

HEALTH_CHECK = (
    "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a0000000400000000000000430104000000018386041c2f677270"
    "632e6865616c74682e76312e4865616c74682f436865636b0101680f10106170706c69636174696f6e2f6772706300027465"
    "08747261696c6572730000050001000000010000000000"
)
"""HTTP/2's preface, and one call of grpc.health.v1.Health/Check, as HAProxy sends it."""

HAPROXY = """
global
  maxconn 4000
  log stdout format raw local0
defaults
  mode http
  log global
  timeout connect 1s
  timeout check 5s
  timeout client {idle}s
  timeout server {idle}s
  retries 3
  option redispatch
frontend clients
  bind 127.0.0.1:{port} proto h2
  default_backend nodes
backend nodes
  balance roundrobin
  option tcp-check
  tcp-check send-binary {check}
  tcp-check expect rbinary 000000000208(01|02)
  tcp-check expect min-recv 1 binary 00000000020801
{servers}
"""

NGINX = """
daemon off;
worker_processes 1;
error_log stderr;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream nodes {{
{servers}
  }}
  server {{
    listen 127.0.0.1:{port} http2;
    client_max_body_size 0;
    grpc_connect_timeout 1s;
{times}
    location / {{ grpc_pass grpc://nodes; }}
  }}
}}
"""

NGINX_TIMES = ("client_body_timeout", "grpc_read_timeout", "grpc_send_timeout")
PACKAGED = 50
"""Seconds: the idle time-outs of the configuration that Debian and others ship for HAProxy. It has none of its own, and
warns of that.
"""

Proxy = Callable[[Path, Sequence[str], int], "Running"]


class Running:
    """A proxy that runs. `address` is where clients call; one that `checks` asks its nodes for health by itself."""

    def __init__(self, program: Program, address: str, *, checks: bool = False) -> None:
        self.program = program
        self.address = address
        self._checks = checks

    async def found_down(self, node: int) -> None:
        """Waits until it knows that it is to send no calls to the node of this number."""
        await self.program.out.line(f"Server nodes/n{node} is DOWN")

    async def found_up_again(self, node: int) -> None:
        """Waits until it knows that a node is back that was down."""
        if self._checks:
            await self.program.out.line(f"Server nodes/n{node} is UP")


@contextmanager
def haproxy(folder: Path, nodes: Sequence[str], idle: int = PACKAGED) -> Iterator[Running]:
    """HAProxy before these nodes, which ends what is idle for so many seconds."""
    port, config = free_port(), folder / "haproxy.cfg"
    servers = [f"  server n{n} {node} proto h2 check inter 200ms fall 1 rise 1" for n, node in enumerate(nodes)]
    config.write_text(HAPROXY.format(port=port, idle=idle, check=HEALTH_CHECK, servers="\n".join(servers)))
    with Program(path("haproxy"), "-db", "-f", config) as program:
        yield Running(program, f"127.0.0.1:{port}", checks=True)


@contextmanager
def nginx(folder: Path, nodes: Sequence[str], idle: int = 0) -> Iterator[Running]:
    """The same with nginx; without a time it is nginx's own, 60 s."""
    port, config = free_port(), folder / "nginx.conf"
    servers = [f"    server {node} max_fails=1 fail_timeout=1s;" for node in nodes]
    times = [f"    {name} {idle}s;" for name in NGINX_TIMES if idle]
    config.write_text(NGINX.format(port=port, times="\n".join(times), folder=folder, servers="\n".join(servers)))
    with Program(path("nginx"), "-c", config, "-e", "stderr") as program:
        yield Running(program, f"127.0.0.1:{port}")
