"""What TCP does in each packet of a connection, in words: opening, acknowledging, closing. Pure.

Rules:
- Every sentence comes from the packets, sums included; what was not seen is not told.
- Sums are shown in relative numbers, those of a handshake and a close in raw ones too: there one number stands for no
  byte at all.
"""

from heartline_lab.anatomy.dissect import Connection, Segment

_WRAP = 2**32


def side(from_client: bool) -> str:
    """Who sent it."""
    return "client" if from_client else "server"


def count(number: int, what: str) -> str:
    """So many of a thing."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def segment_words(connection: Connection) -> list[list[str]]:
    """For each packet, what it does, without what its payload says."""
    reader = _Reader()
    return [reader.read(segment) for segment in connection.segments]


class _Reader:
    """Keeps what each side has sent and acknowledged so far."""

    def __init__(self) -> None:
        self._sent: dict[bool, list[Segment]] = {True: [], False: []}
        self._acked = {True: 0, False: 0}
        self._open = False

    def read(self, segment: Segment) -> list[str]:
        words = []
        if segment.has("SYN"):
            words.append(_syn(segment))
        if segment.has("ACK"):
            words += self._ack(segment)
        sent = self._sent[segment.from_client]
        if segment.payload and any(one.seq < segment.next_seq and segment.seq < one.next_seq for one in sent):
            words.append(f"bytes from {segment.seq} on were sent before and are sent again")
        if segment.has("FIN"):
            words.append(f"FIN: the {side(segment.from_client)} has nothing more to send; FIN counts as one")
        if segment.has("RST"):
            words.append(self._reset(segment))
        self._sent[segment.from_client].append(segment)
        return words

    def _reset(self, reset: Segment) -> str:
        words = f"RST: the {side(reset.from_client)} has dropped the connection and takes nothing more"
        # One without ACK takes its number from the acknowledgement in the packet that it answers (RFC 9293, 3.5.2).
        asked = [one for one in self._sent[not reset.from_client] if one.payload and one.raw_ack == reset.raw_seq]
        late = asked and not reset.has("ACK")
        return f"{words}; packet {asked[-1].number} came to a socket that was closed already" if late else words

    def _ack(self, segment: Segment) -> list[str]:
        mine = segment.from_client
        before, self._acked[mine] = self._acked[mine], max(self._acked[mine], segment.ack)
        if segment.ack <= before:
            nothing = not segment.payload and not segment.flags & {"FIN", "RST"}
            return [f"ack = {segment.ack} once more: nothing new has come"] if nothing else []
        words = [_sum(segment, before, _fresh(self._sent[not mine], before, segment.ack))]
        if not self._open and not segment.has("SYN"):
            self._open = True
            seen = [*self._sent[True], *self._sent[False], segment]
            data = sum(len(one.payload) for one in seen)
            words.append(f"the handshake is done: {len(seen)} packets, {count(data, 'byte')} of data")
        return words


def _syn(segment: Segment) -> str:
    what = "agrees, and numbers its own bytes" if segment.has("ACK") else "asks for a connection, and numbers its bytes"
    takes = f"; takes up to {segment.largest} bytes a packet" if segment.largest else ""
    return f"SYN: the {side(segment.from_client)} {what} from {segment.raw_seq} on, written as {segment.seq}{takes}"


def _fresh(sent: list[Segment], before: int, ack: int) -> list[Segment]:
    """The packets whose bytes follow on each other from what was acknowledged before up to what is now."""
    fresh: list[Segment] = []
    for one in sent:
        if one.seq == (fresh[-1].next_seq if fresh else before) and one.seq < one.next_seq <= ack:
            fresh.append(one)
    return fresh


def _sum(segment: Segment, before: int, fresh: list[Segment]) -> str:
    """How the acknowledgement comes about: what was acknowledged before, and the packets that came since."""
    terms = [one.next_seq - one.seq for one in fresh]
    step = segment.ack - before
    if sum(terms) != step:  # it ends within a packet
        return f"ack = {before} + {step} = {segment.ack}"
    text = f"ack = {' + '.join(map(str, [before, *terms]))} = {segment.ack}"
    special = [flag for flag in ("SYN", "FIN") if any(one.has(flag) for one in fresh)]
    if special:
        raw = f"raw {(segment.raw_ack - step) % _WRAP} + {step} = {segment.raw_ack}"
        return f"{text}, because {special[0]} counts as one ({raw})"
    *most, last = [str(one.number) for one in fresh]
    if not most:
        return f"{text}: the seq of packet {last} plus its length, so all of it has arrived"
    return f"{text}: packets {', '.join(most)} and {last} have arrived"
