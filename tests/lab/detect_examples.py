"""What a run might have brought, for tests: built by hand, so that no clock is in it."""

from heartline_lab.detect.faults import DETECTORS, FAULTS, Detector, Fault, Run, Side
from heartline_lab.detect.kernel import Kernel
from heartline_lab.detect.observed import Notice, Observed
from heartline_lab.detect.patience import Patience

KERNEL = Kernel(tcp_keepalive_time=7200, tcp_keepalive_intvl=75, tcp_keepalive_probes=9, tcp_retries2=15)
PATIENCE = Patience(1.0, 1.0)
WITHIN = 10.0
STRUCK_AT = 1000.0


def fault(name: str) -> Fault:
    """The fault of that name."""
    return next(fault for fault in FAULTS if fault.name == name)


def detector(name: str) -> Detector:
    """The detector of that name."""
    return next(detector for detector in DETECTORS if detector.name == name)


def observed(name: str, victim: Side | None, side: Side = "client", /, **seconds: float) -> Observed:
    """A run in which a side's detectors (with _ for -) noticed so many seconds after the fault."""
    notices = {name.replace("_", "-"): Notice(STRUCK_AT + after, "in its words") for name, after in seconds.items()}
    seen = Observed(Run(fault(name), victim), STRUCK_AT, 0.002)
    seen.notices[side] = notices
    return seen
