"""A TCP relay that plays the network between client and server, counts what goes through, and fails when told to.

From Python, `Middlebox` relays in this process. `heartline middlebox --control SOCKET` relays in its own, and
`Control(SOCKET)` switches its faults.
"""

from heartline_lab.middlebox.box import Middlebox
from heartline_lab.middlebox.control import Control
from heartline_lab.middlebox.counts import Flow, Record, Totals
from heartline_lab.middlebox.faults import Faults

__all__ = ["Control", "Faults", "Flow", "Middlebox", "Record", "Totals"]
