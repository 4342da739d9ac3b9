"""What a node looks at each second: whether Redis is there, is the one that it was, and takes what is written to it.

Rules:
- Away is a Redis that cannot be reached, and one that is a replica: whoever balances calls may find a node that fares
  better, so it is told, and health follows.
- One that is full, or refuses writes for another reason of its own, and one with a shard that is away, is not away:
  every node fares alike, and the rest goes on. That is for the log.
- After it was away, or was emptied, all that is followed is compared with it.
"""

import asyncio
import logging
from collections.abc import Callable

from heartline_service.stores.base import StoreError
from heartline_service.stores.redis.client import RedisClient
from heartline_service.stores.redis.follow import Follower
from heartline_service.stores.redis.logs import Logs

ROUND_INTERVAL = 1.0
"""Seconds between two looks."""

log = logging.getLogger("heartline.service")


async def go_round(client: RedisClient, logs: Logs, follower: Follower, tell_there: Callable[[bool], None]) -> None:
    """Looks until it is cancelled. Tells when Redis goes away (False), and when it is back (True)."""
    away, limits = False, list[str]()
    while True:
        await asyncio.sleep(ROUND_INTERVAL)
        epoch, before = logs.epoch, limits
        try:
            await logs.pulse()
            limits = await client.limits()
        except StoreError as error:
            if not away:
                log.warning("Redis is away: %s", error)
                tell_there(False)
            away = True
            continue
        if away:
            tell_there(True)
        if away or epoch != logs.epoch:
            log.info("Redis is back" if epoch == logs.epoch else "Redis was emptied: all logs begin anew")
            follower.compare_all()
        else:
            follower.compare_some()
        away = False
        if limits and limits != before:
            log.warning("publishing fails where it needs this: %s", "; ".join(limits))
        elif before and not limits:
            log.info("Redis takes everything again")
