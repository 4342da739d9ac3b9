"""Facts as the experiments measured them once, and how other facts would have read."""

from typing import Any

from heartline_lab.claims.judging.faults import Firewall, Keepalive, LongConnection, Silence
from heartline_lab.claims.judging.http import Overlap, Page, ShortCalls, Unasked
from heartline_lab.claims.judging.presence import Heartbeats, Looks, News, Status
from heartline_lab.claims.judging.process import Listeners, Threads
from heartline_lab.claims.judging.tcp import Closing, FiveTuples, Flags, Flow, Handshake, Sockets
from heartline_lab.claims.parts import Verdict

HOLDS, LIMITS, REFUTED = Verdict.HOLDS, Verdict.WITHIN_LIMITS, Verdict.REFUTED

_THREE = ("client SYN", "server SYN+ACK", "client ACK")
_FOUR = ("client FIN", "server ACK", "server FIN", "client ACK")
_FOUR_BACK = ("server FIN", "client ACK", "client FIN", "server ACK")
_SIX = ("ACK", "FIN", "PSH", "RST", "SYN", "URG")

MEASURED: dict[int, tuple[Any, Verdict]] = {
    1: (ShortCalls(5, 5, 0.001, grpc_connections=1, channels_connections=5), LIMITS),
    2: (LongConnection(2.0, 0, True, 0.001, 0.001, 1.0, 1.001, 1.0, 0.6), LIMITS),
    3: (Firewall(2.0, 432000, 4.0, False, False, 0.4, True, 3.0, False), LIMITS),
    4: (Handshake(_THREE, (0, 0, 0), (1, 1), fast_open_payload=5, fast_open_ahead=6), LIMITS),
    5: (Closing(_FOUR, _FOUR_BACK, ("client FIN", "server FIN", "client ACK"), ("client RST",)), LIMITS),
    6: (Overlap(3, 1, 3, slow=0.3, fast_after=0.301, refusal="CannotSendRequest", http2_after=0.001), LIMITS),
    7: (Looks(1.5, 25, 25, 1.502, 1.0, "DEADLINE_EXCEEDED", 1.001, "DEADLINE_EXCEEDED"), LIMITS),
    8: (FiveTuples(100, 100, 1, 0.001, udp_beside=True, shared_source=2, twice="EADDRNOTAVAIL"), HOLDS),
    9: (News(0.5, [0.1, 0.2, 0.4], 3, [0.002, 0.003, 0.004], 3, [0.001, 0.002, 0.003], events=3), LIMITS),
    10: (Unasked(0.9, 1, 1, enable_push=0, http1_requests=1, http1_events=3, http1_spread=0.2), LIMITS),
    11: (Silence(0.001, "CLOSE_WAIT", 3.0, 0, None, 0, 1.0, 1.001, 1.0, 1.2), LIMITS),
    12: (Keepalive(7200, 75, 9, (1, 1, 2), 3.5, 3.1, 200, packets=2.0, cpu_us=0.1), REFUTED),
    13: (Heartbeats([0.001, 0.002], 0.8, 0.7, ["waiting", "online"], ["waiting", "online"], 0.1), HOLDS),
    14: (Page([10, 10, 11], (3, 4, 3), [12, 12, 12], large=40, large_bytes=1048576, kept=3), LIMITS),
    15: (Status("battery 80%", "battery 80%", 0.3, 0.4, bare=32, carrying=45), HOLDS),
    16: (Sockets(6, (11,), 17, (5, 6), sent=(5, 6)), HOLDS),
    17: (Threads(100, plain=0, heartline=2, threading=100), REFUTED),
    18: (Listeners("EADDRINUSE", 64, reuseport=2, forked=2), REFUTED),
    19: (Flow(3910656, 0, True, 0.05, 16777216, True, 12, 36, (22, 14), (1000, 950)), REFUTED),
    20: (Flags(_SIX, ("ACK", "CWR", "ECE", "SYN")), REFUTED),
}
"""For each statement what was measured, and the verdict on it."""

OTHERWISE: list[tuple[int, dict[str, object], Verdict]] = [
    (1, {"grpc_connections": 5}, HOLDS),
    (1, {"ended_after": None}, REFUTED),
    (1, {"http10_connections": 1}, REFUTED),
    (2, {"delivered_after": None}, HOLDS),
    (2, {"timers": 1}, REFUTED),
    (2, {"answered": False}, REFUTED),
    (2, {"closed_after": None}, REFUTED),
    (2, {"reset_after": None}, REFUTED),
    (2, {"cut_after": None}, REFUTED),
    (3, {"slow_arrived": True}, HOLDS),
    (3, {"idle_arrived": True}, REFUTED),
    (3, {"idle_told": True}, REFUTED),
    (3, {"kept_arrived": False}, REFUTED),
    (4, {"fast_open_payload": 0, "fast_open_ahead": 1}, HOLDS),
    (4, {"packets": _THREE[:2]}, REFUTED),
    (4, {"payloads": (0, 0, 7)}, REFUTED),
    (4, {"ahead": (1, 0)}, REFUTED),
    (5, {"at_once": _FOUR, "reset": _FOUR}, HOLDS),
    (5, {"client_first": _FOUR[:3]}, REFUTED),
    (5, {"server_first": _FOUR}, REFUTED),
    (6, {"fast_after": 0.002, "refusal": ""}, HOLDS),
    (6, {"connections": 3}, REFUTED),
    (6, {"pipelined": 1}, REFUTED),
    (7, {"stopped": "UNAVAILABLE"}, HOLDS),
    (7, {"online": 20}, REFUTED),
    (7, {"offline_after": 60.0}, REFUTED),
    (7, {"unreachable": "OK"}, REFUTED),
    (8, {"tuples": 99}, REFUTED),
    (8, {"twice": ""}, REFUTED),
    (8, {"shared_source": 1}, REFUTED),
    (8, {"udp_beside": False}, REFUTED),
    (8, {"server_ports": 101}, REFUTED),
    (8, {"answered": 5.0}, REFUTED),
    (9, {"held_back": 0}, HOLDS),
    (9, {"waited": 1}, REFUTED),
    (9, {"pushed": [0.001]}, REFUTED),
    (10, {"enable_push": None, "http1_events": 1}, HOLDS),
    (10, {"quiet": 0.001}, REFUTED),
    (10, {"pings": 0, "settings": 0}, REFUTED),
    (11, {"writer_after": None}, HOLDS),
    (11, {"closed_state": "ESTABLISHED"}, REFUTED),
    (11, {"segments": 1}, REFUTED),
    (11, {"noticed_after": 2.0}, REFUTED),
    (11, {"timers": 1}, REFUTED),
    (11, {"heartbeat_after": 20.0}, REFUTED),
    (11, {"heartbeat_after": None}, REFUTED),
    (12, {"cable_after": None, "firewall_after": None, "cpu_us": 50.0}, HOLDS),
    (12, {"cable_after": None, "firewall_after": None, "packets": 0.0}, LIMITS),
    (12, {"idle": 60}, REFUTED),
    (13, {"answers": [0.2, 0.3]}, REFUTED),
    (13, {"noticed_after": 20.0}, REFUTED),
    (13, {"noticed_after": None}, REFUTED),
    (13, {"online_after": None}, REFUTED),
    (13, {"logged": []}, REFUTED),
    (13, {"told": ["online"]}, REFUTED),
    (14, {"apart": [10], "large": 10, "kept": 10}, HOLDS),
    (14, {"small": [11, 12, 11]}, REFUTED),
    (15, {"seen": "battery 81%"}, REFUTED),
    (15, {"carrying": 70000}, REFUTED),
    (16, {"tcp_protocol": 132}, REFUTED),
    (16, {"udp_reads": (11,)}, REFUTED),
    (17, {"plain": 100, "heartline": 100}, HOLDS),
    (17, {"plain": 100}, REFUTED),
    (18, {"reuseport": 1, "forked": 1}, HOLDS),
    (18, {"second": "", "reuseport": 1, "forked": 1}, REFUTED),
    (19, {"retransmitted": 0, "congestion": (22, 22)}, HOLDS),
    (19, {"intact": False, "congestion": (22, 22)}, HOLDS),
    (19, {"resumed": False}, REFUTED),
    (20, {"ecn": ("ACK", "SYN")}, HOLDS),
    (20, {"usual": _SIX[1:], "ecn": ()}, REFUTED),
]
"""Other facts, and the verdict that would follow from them."""
