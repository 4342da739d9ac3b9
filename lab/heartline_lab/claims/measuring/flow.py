"""What TCP does beside moving bytes: statement 19."""

import asyncio
import hashlib
import random
import socket

from heartline_lab.claims.judging.tcp import Flow
from heartline_lab.claims.measuring.sockets import HOST, connected, info, listening, lose

_SIZE = 16 * 2**20
"""Bytes to send in spite of loss: some hundred packets of loopback's 64 KiB."""
_CHUNK = 2**16
_DATAGRAMS = 1000
_LOSS_PERCENT = 5
_STUCK = 0.3
"""Seconds without any progress after which a sender counts as held back; loopback takes microseconds."""


async def flow() -> Flow:
    """Sends to a peer that reads nothing, then with loss, then the same loss with UDP."""
    with listening() as listener:
        idle, lossy = connected(listener), connected(listener)
    with idle[0], idle[1], lossy[0], lossy[1]:
        unread, window, resumed = await _unread(*idle)
        lose(lossy[1], _LOSS_PERCENT)
        intact, fall = await _through_loss(*lossy)
        sender, receiver = info(lossy[0]), info(lossy[1])
    return Flow(
        unread=unread,
        window=window,
        resumed=resumed,
        lost_share=_LOSS_PERCENT / 100,
        sent=_SIZE,
        intact=intact,
        retransmitted=sender.retransmitted,
        reordered=receiver.reordered,
        congestion=fall,
        datagrams=(_DATAGRAMS, _datagrams()),
    )


async def _unread(sender: socket.socket, receiver: socket.socket) -> tuple[int, int, bool]:
    """How much goes out while nobody reads, the window then, and whether it goes on when somebody does."""
    loop = asyncio.get_running_loop()
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            sent += await _some(sender, bytes(_CHUNK))

    sending = asyncio.create_task(send())
    try:
        before = -1
        while sent > before:
            before = sent
            await asyncio.sleep(_STUCK)
        window = info(sender).window
        async with asyncio.timeout(5):
            while sent == before:
                await loop.sock_recv(receiver, _CHUNK)
    except TimeoutError:
        pass
    finally:
        sending.cancel()
    return before, window, sent > before


async def _some(sender: socket.socket, data: bytes) -> int:
    """Sends as much of it as is taken, when anything is."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return sender.send(data)
        except BlockingIOError:
            writable = asyncio.Event()
            loop.add_writer(sender, writable.set)
            try:
                await writable.wait()
            finally:
                loop.remove_writer(sender)


async def _through_loss(sender: socket.socket, receiver: socket.socket) -> tuple[bool, tuple[int, int]]:
    """Whether all came as it was sent; and the deepest fall of the congestion window, from and to."""
    loop = asyncio.get_running_loop()
    data = random.randbytes(_SIZE)
    peak = 0
    fall = (0, 0)

    async def read() -> bytes:
        nonlocal peak, fall
        digest = hashlib.sha256()
        while part := await loop.sock_recv(receiver, _CHUNK):
            digest.update(part)
            now = info(sender).congestion_window
            peak = max(peak, now)
            fall = max(fall, (peak, now), key=lambda one: one[0] - one[1])
        return digest.digest()

    reading = asyncio.create_task(read())
    await loop.sock_sendall(sender, data)
    sender.shutdown(socket.SHUT_WR)
    return await reading == hashlib.sha256(data).digest(), fall


def _datagrams() -> int:
    """How many of the datagrams that are sent arrive."""
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        receiver.bind((HOST, 0))
        receiver.setblocking(False)
        lose(receiver, _LOSS_PERCENT)
        arrived = 0
        for _ in range(_DATAGRAMS):
            sender.sendto(b"!", receiver.getsockname())
            try:
                arrived += len(receiver.recv(1))
            except BlockingIOError:
                continue
        return arrived
