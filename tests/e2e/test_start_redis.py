"""A server whose Redis is not fit for it says so at its start, in one sentence, and ends."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from e2e.process import ROOT, Serving
from e2e.raw import calling, session, texts
from e2e.test_start import UNAVAILABLE, WRONG_USAGE, outcome
from redis_servers import RedisServer, certificate, free_port, one_redis

pytestmark = pytest.mark.needs("redis")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis as it comes."""
    with one_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


async def refusal(url: str) -> str:
    """What a server says that cannot start for its Redis."""
    code, said = await outcome("--store", url)
    assert code == UNAVAILABLE, said
    assert "\n" not in said
    return said.removeprefix("heartline: ")


async def test_a_redis_that_is_there_is_served_from(redis: RedisServer) -> None:
    with Serving(store=redis.url) as server:
        server.ready().terminate()
        assert server.wait() == 0


async def test_a_redis_that_is_not_there_is_told() -> None:
    port = free_port()
    said = await refusal(f"redis://127.0.0.1:{port}")
    assert said.startswith(f"the Redis at 127.0.0.1:{port} cannot be reached: ")


@pytest.mark.parametrize("url", ["redis://", "redis://h:port", "redis://h/x/y", "redis://h:99999"])
async def test_a_wrong_url_is_told_with_what_to_write(url: str) -> None:
    code, said = await outcome("--store", url)
    assert code == WRONG_USAGE
    assert said.startswith(
        f'heartline: the store URL "{url}" cannot be read: write redis://HOST:PORT, or rediss:// for TLS'
    )


async def test_the_password_in_a_wrong_url_is_not_shown() -> None:
    code, said = await outcome("--store", "redis://me:secret@h:port")
    assert code == WRONG_USAGE
    assert '"redis://me:***@h:port"' in said
    assert "secret" not in said


@pytest.mark.needs("openssl")
async def test_a_redis_is_reached_by_tls_and_its_certificate_is_checked(tmp_path: Path) -> None:
    with one_redis(tmp_path, tls=certificate(tmp_path)) as redis:
        with Serving(store=redis.url) as server:
            async with calling(server.ready().address) as calls:
                await calls.publish("orders", "hello")
                assert texts(await calls.read_all("orders")) == ["hello"]
        assert "certificate verify failed" in await refusal(redis.url.partition("?")[0])


async def test_a_redis_that_wants_a_password_is_told(tmp_path: Path) -> None:
    with one_redis(tmp_path, "--requirepass", "right") as redis:
        where = f"127.0.0.1:{redis.port}"
        for url in (f"redis://{where}", f"redis://:wrong@{where}"):
            said = await refusal(url)
            assert said.startswith(f"the Redis at {where} refuses us (")
            assert said.endswith("write the password it wants into the store URL, as in redis://USER:PASSWORD@HOST")
        with Serving(store=f"redis://:right@{where}") as server:
            assert "right" not in server.ready().out.text()


async def test_a_user_who_may_not_do_enough_is_told(redis: RedisServer) -> None:
    redis.ask("ACL", "SETUSER", "guest", "on", ">pass", "~*", "&*", "+@read", "+info")
    said = await refusal(f"redis://guest:pass@127.0.0.1:{redis.port}")
    assert said.startswith("the user of the store URL may not do all that the store needs of the Redis at 127.0.0.1:")


async def test_a_user_who_may_do_what_the_documentation_asks_for_is_enough(redis: RedisServer) -> None:
    needs = (ROOT / "docs/redis.md").read_text().partition("The user of the URL needs")[2]
    keys, channels, commands = re.findall(r"`([^`]+)`", " ".join(needs.split()))[:3]
    may = [f"~{keys}", f"&{channels}", *(f"+{command}" for command in commands.split())]
    redis.ask("ACL", "SETUSER", "heartline", "on", ">pass", *may)
    with Serving(store=f"redis://heartline:pass@127.0.0.1:{redis.port}") as server:
        async with calling(server.ready().address) as calls, session(server.address, client_id="phone-7") as old:
            await calls.publish("orders", "hello")
            assert texts(await calls.read_all("orders")) == ["hello"]
            await calls.until("$presence", 1)
            async with session(server.address, client_id="phone-7", replaces=old.welcome.session_id):
                assert (await old.next("goodbye")).HasField("goodbye")
        server.terminate()
        assert await server.ended() == 0
        assert "may not do" not in server.err.text()
    redis.ask("FLUSHALL")


async def test_a_replica_is_told_with_its_primary(redis: RedisServer, tmp_path: Path) -> None:
    with one_redis(tmp_path, "--replicaof", "127.0.0.1", str(redis.port)) as replica:
        assert await refusal(replica.url) == (
            f"the Redis at 127.0.0.1:{replica.port} is a replica, which takes no writes: name its primary,"
            f" 127.0.0.1:{redis.port}"
        )


async def test_a_redis_without_memory_left_is_told(tmp_path: Path) -> None:
    with one_redis(tmp_path) as redis:
        redis.ask("CONFIG", "SET", "maxmemory", "1")
        assert await refusal(redis.url) == (
            f"the Redis at 127.0.0.1:{redis.port} has used all the memory that it may: raise its maxmemory, or keep"
            " less (--retain)"
        )


async def test_a_redis_that_forgets_what_it_likes_is_told(tmp_path: Path) -> None:
    with one_redis(tmp_path, "--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru") as redis:
        said = await refusal(redis.url)
        assert said.endswith("(maxmemory-policy allkeys-lru): set it to noeviction")


async def test_a_redis_with_too_few_replicas_is_told(tmp_path: Path) -> None:
    with one_redis(tmp_path, "--min-replicas-to-write", "1") as redis:
        said = await refusal(redis.url)
        assert said.startswith(f"the Redis at 127.0.0.1:{redis.port} takes no writes, as it has too few replicas")


async def test_a_redis_that_is_too_old_is_told() -> None:
    """Answers as such a Redis does: there is none to be had that is this old."""
    about = b"# Server\r\nredis_version:6.2.14\r\n"
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                while asked := connection.recv(4096):
                    info = b"$%d\r\n%s\r\n" % (len(about), about) if b"\r\nINFO\r\n" in asked else b""
                    connection.sendall(b"+OK\r\n" * (asked.count(b"*") - bool(info)) + info)

        threading.Thread(target=answer, daemon=True).start()
        assert await refusal(f"redis://127.0.0.1:{port}") == (
            f"the Redis at 127.0.0.1:{port} is too old (6.2.14): it must be 7.0 or newer"
        )


async def test_what_is_no_redis_is_told() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        said = await refusal(f"redis://127.0.0.1:{port}")
        assert said.startswith(f"the Redis at 127.0.0.1:{port} ")


async def test_a_redis_without_the_package_is_told(tmp_path: Path) -> None:
    (tmp_path / "redis.py").write_text("raise ModuleNotFoundError(\"No module named 'redis'\", name='redis')\n")
    code, said = await outcome("--store", "redis://127.0.0.1", env={"PYTHONPATH": str(tmp_path)})
    assert code == WRONG_USAGE
    assert said == 'heartline: the store "redis:" needs the package redis: install heartline[redis]'
