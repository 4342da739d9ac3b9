"""How each cell of the table reads, and why. Pure.

Rules:
- A cell is measured, or says why it is not: what is missing, or that it was computed and from what.
- Seconds run from the moment before the fault began. A detector that spoke before that has given a false alarm.
- When Heartline took longer than interval + timeout, the cell tells what was measured that explains it.
"""

from dataclasses import dataclass
from typing import Literal

from heartline.durations import format_duration

from heartline_lab.detect.faults import Detector, Fault, Side
from heartline_lab.detect.kernel import Kernel
from heartline_lab.detect.observed import Notice, Observed
from heartline_lab.detect.patience import Patience

Status = Literal["noticed", "not within", "computed", "needs", "false alarm"]
HEARTBEAT = "heartbeat"

_ACKNOWLEDGED = "the peer's kernel acknowledges, whatever became of its program"
_AT_PROXY = "this connection ends at the proxy, which lives"
_UNNOTICED = {
    ("silent", "read"): "to a reader a dead peer looks like one with nothing to say",
    ("answers", "read"): "to a reader a dead peer looks like one with nothing to say",
    ("answers", "write"): _ACKNOWLEDGED,
    ("answers", "keepalive-system"): _ACKNOWLEDGED,
    ("answers", "keepalive-tuned"): _ACKNOWLEDGED,
    ("answers", "user-timeout"): _ACKNOWLEDGED,
    ("hang", "grpc-keepalive"): "gRPC answers PING by threads of its own, while the program hangs",
    ("proxied", "read"): _AT_PROXY,
    ("proxied", "write"): _AT_PROXY,
    ("proxied", "keepalive-system"): _AT_PROXY,
    ("proxied", "keepalive-tuned"): _AT_PROXY,
    ("proxied", "user-timeout"): _AT_PROXY,
    ("proxied", "grpc-keepalive"): "PING goes hop by hop: the proxy answers it",
}
"""Why a detector stays silent, by what the other kernel does, or else by the fault's name."""
_SLOW = {
    "keepalive-tuned": "the kernel counts in whole seconds, and its timers may be an eighth late",
    "user-timeout": "the kernel counts from its first retransmission, not from the write",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `how` is what the detector said when it noticed; `note` explains what is to be explained."""

    status: Status
    text: str
    seconds: float | None = None
    how: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """What this machine lacks: a word for cells, and a sentence; empty when it is there."""

    namespaces: str = ""
    why_no_namespaces: str = ""
    haproxy: bool = False

    def of(self, fault: Fault, detector: Detector) -> Cell | None:
        """The cell when it cannot be measured here."""
        if fault.name == "proxy" and self.haproxy:
            return Cell("needs", "needs haproxy", note="haproxy is not on the PATH: apt-get install haproxy")
        if self.namespaces and fault.hits_network and (detector.judges_tcp or fault.name == "power"):
            return Cell("needs", f"needs {self.namespaces}", note=self.why_no_namespaces)
        return None


def cell(observed: Observed, side: Side, detector: Detector, patience: Patience, within: float, kernel: Kernel) -> Cell:
    """What a side's detector made of a fault."""
    notice = observed.notices[side].get(detector.name)
    if notice is not None and notice.at < observed.struck_at:
        early = observed.struck_at - notice.at
        return Cell("false alarm", "false alarm", how=notice.how, note=f"it spoke {early:.2f} s before the fault")
    if notice is None or notice.at - observed.struck_at > within:
        return _unnoticed(observed.run.fault, detector, within, kernel)
    seconds = notice.at - observed.struck_at
    note = _remark(observed, side, detector, notice, patience)
    return Cell("noticed", f"{seconds:.2f} s", round(seconds, 4), notice.how, note)


def _unnoticed(fault: Fault, detector: Detector, within: float, kernel: Kernel) -> Cell:
    note = _UNNOTICED.get((fault.kernel, detector.name)) or _UNNOTICED.get((fault.name, detector.name), "")
    if fault.kernel == "silent" and detector.name == "write":
        patience = format_duration(kernel.unacknowledged_seconds)
        note = f"the kernel gives up by itself after about {patience}, as tcp_retries2 is {kernel.tcp_retries2}"
    if fault.kernel == "silent" and detector.name == "keepalive-system":
        whole = kernel.keepalive_seconds
        note = (
            f"from this machine's settings: tcp_keepalive_time {kernel.tcp_keepalive_time} s + tcp_keepalive_probes "
            f"{kernel.tcp_keepalive_probes} x tcp_keepalive_intvl {kernel.tcp_keepalive_intvl} s"
        )
        return Cell("computed", format_duration(whole), float(whole), note=note)
    if (fault.name, detector.name) == ("forgot", "lease"):
        note = "the client was back in time, over a new connection"
    if detector.name == HEARTBEAT:
        note = "nothing that was measured explains this"
    return Cell("not within", f"not within {within:g} s", note=note)


def _remark(observed: Observed, side: Side, detector: Detector, notice: Notice, patience: Patience) -> str:
    seconds = notice.at - observed.struck_at
    fault = observed.run.fault.name
    if (fault, detector.name) == ("close", "write"):
        return "the first write after FIN succeeds, and is answered with RST; the next one fails"
    if (fault, side, detector.name) == ("forgot", "server", "lease"):
        return "the client lives: it is back with its next call, over a new connection"
    if seconds <= patience.whole:
        return ""
    if (fault, side, detector.name) == ("lost-down", "server", "lease"):
        return "check-ins still arrived for a while; only their answers were lost"
    if detector.name == HEARTBEAT:
        return _over(observed, side, notice, patience)
    return _SLOW.get(detector.name, "")


def _over(observed: Observed, side: Side, notice: Notice, patience: Patience) -> str:
    told = []
    silent_from = observed.struck_at
    if notice.heard_at is not None and notice.heard_at > observed.struck_at + observed.took:
        silent_from = notice.heard_at
        peer = "server" if side == "client" else "client"
        told.append(
            f"what the {peer} sent still arrived, the last of it {silent_from - observed.struck_at:.2f} s after the "
            f"fault; the silence from there was {notice.at - silent_from:.2f} s"
        )
    over = notice.at - silent_from - patience.whole
    if over > 0:
        late = observed.late(side, notice.at)
        told.append(
            f"{over:.3f} s over interval + timeout: the fault took {observed.took:.3f} s to be in force, this program "
            f"was woken up to {late:.3f} s late, and the news took its way to whoever waits for it"
        )
    return "; ".join(told)
