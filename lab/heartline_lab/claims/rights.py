"""What an experiment needs beyond Python: rights, and programs."""

import enum
import shutil
from pathlib import Path

_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}
"""To change networks, to capture packets, and to make networks: what root has."""


class Need(enum.Enum):
    """What there must be; the value says it, after "needs"."""

    ROOT = "root"
    IP = "the program ip: apt-get install iproute2"
    NFT = "the program nft: apt-get install nftables"


def missing(need: Need) -> bool:
    """Whether it is not there."""
    if need is Need.ROOT:
        return not _root()
    return shutil.which(need.name.lower()) is None


def _root() -> bool:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return False
    held = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return all(held & 1 << bit for bit in _CAPABILITIES.values())
