"""Networks of the lab's own: two namespaces joined by a cable that can be pulled. Needs root and iproute2, no more."""

from heartline_lab.network.commands import Direction, Host
from heartline_lab.network.pair import NoNamespaces, Pair

__all__ = ["Direction", "Host", "NoNamespaces", "Pair"]
