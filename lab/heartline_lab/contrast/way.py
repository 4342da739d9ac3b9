"""One event's way to one client, from what was seen of it: the steps of a ladder diagram. Pure.

Rules:
- Nothing is made up: a step stands at the moment at which this end saw it. What a client or the publisher sends, stands
  where it was sent; what the server sends, where it arrived, as nobody looks into the server.
- The event told is the one whose latency was the client's median: neither the luckiest nor the worst.
"""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median_low

from heartline_lab.contrast.journal import Journal, Published
from heartline_lab.drawing.ladder.steps import Step

PUBLISHER, SERVER, CLIENT = LANES = ("publisher", "server", "client")


ASK = {"short": "connect, Poll", "kept": "Poll", "long-poll": "Poll that waits"}
"""How each mode asks."""


def way(mode: str, seen: Journal, published: Sequence[Published]) -> tuple[Step, ...]:
    """The steps, in their order; none when the client handled nothing."""
    if not seen.arrivals:
        return ()
    latency, number, arrived = _median_event(seen, published)
    begun, answered = published[number].begun_ns, published[number].answered_ns
    steps = [
        (begun, Step(0.0, PUBLISHER, SERVER, "Publish", kind="data")),
        (answered, Step(0.0, SERVER, PUBLISHER, "receipt", kind="control")),
    ]
    handled = f"handled {latency / 1e6:.1f} ms after the publish call began"
    if mode == "stream":
        once = Step(0.0, CLIENT, SERVER, "connect, hello, subscribe", "once; then the stream stays", kind="control")
        push = Step(0.0, SERVER, CLIENT, "the event, pushed", handled, kind="data")
        steps += [(seen.opened_ns, once), (arrived, push)]
    else:
        steps += _polls(ASK[mode], seen, arrived, handled)
    return tuple(replace(step, at=(at - begun) / 1e9) for at, step in sorted(steps, key=lambda each: each[0]))


def _median_event(seen: Journal, published: Sequence[Published]) -> tuple[int, int, int]:
    return median_low((at - published[number].begun_ns, number, at) for number, at in seen.arrivals)


def _polls(ask: str, seen: Journal, arrived: int, handled: str) -> list[tuple[int, Step]]:
    bringing = max(index for index, (_, ended, events) in enumerate(seen.calls) if events and ended <= arrived)
    steps = []
    for index in range(max(0, bringing - 1), bringing + 1):
        begun, ended, events = seen.calls[index]
        answer = {0: "nothing new", 1: "1 event"}.get(events, f"{events} events")
        note = handled if index == bringing else "" if events else "an empty answer"
        steps.append((begun, Step(0.0, CLIENT, SERVER, ask, kind="control")))
        steps.append((ended, Step(0.0, SERVER, CLIENT, answer, note, kind="data" if events else "control")))
    following = [begun for begun, _, _ in seen.calls[bringing + 1 :]]
    if seen.pending_ns is not None:
        following.append(seen.pending_ns)
    if following:
        steps.append((following[0], Step(0.0, CLIENT, SERVER, ask, kind="control")))
    return steps
