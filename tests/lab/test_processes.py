"""What the lab starts ends with the lab, even when that is killed and can clean up nothing."""

import os
import select
import sys
from contextlib import closing

from e2e.process import GUARD, Program

SERVING = """
import asyncio
from heartline_lab.processes import serving

async def main():
    async with serving() as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_a_server_does_not_outlive_a_lab_that_was_killed() -> None:
    with Program(sys.executable, "-c", SERVING) as lab:
        [pid] = lab.out.wait("")
        with closing(os.fdopen(os.pidfd_open(int(pid)))) as server:
            lab.kill()
            assert select.select([server], [], [], GUARD)[0]
