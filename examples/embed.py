"""The client library in ten lines: python examples/embed.py [HOST:PORT]. Ctrl-C ends it."""

import asyncio
import contextlib
import sys

import heartline


async def main(server: str) -> None:
    """Publishes an order and shows all orders, those to come too, also when the server restarts meanwhile."""
    async with heartline.connect(server, client_id="kitchen", on_state=print) as line:
        await line.publish("orders", "one coffee", attributes={"table": "4"})
        async for order in line.subscribe("orders", start=heartline.Start.EARLIEST):
            print(order.offset, order.data, order.attributes, flush=True)


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(*sys.argv[1:2] or ["localhost:50051"]))
