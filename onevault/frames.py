"""The frames of the link between a front and a worker.

A link is one stream socket. On it travel frames: a big-endian 4-byte length, then that many bytes of MessagePack
holding an array whose first element is the frame's tag. Many requests share a link; every frame that belongs to a
request carries its ticket (16 random bytes made by the front).

    worker -> front   Hello · Claim · Head · Chunk · End
    front -> worker   Work · Body · Gone · Cancel · Pause · Resume · Wake
    over TCP also     Welcome from the front, in answer to Hello
    both ways         Ping

One request, told in frames::

    front   Work(ticket, queue, msg_id, message, ...) where no other waited before it; Ping says that it has come
    worker  Claim(ticket, queue, msg_id, read_ct)     of what it has read from the queue instead
    front   Body(ticket, ...)                         or Gone(ticket, reason, ...), and that is all
    worker  Head(ticket, ...), Chunk(ticket, ...)*    nothing at all when every candidate failed
    worker  End(ticket, receipt)                      after the booking has been committed
"""

from __future__ import annotations

from struct import Struct as _Packing
from typing import Final, TypeAlias

import msgspec

# Errors
#   FrameError            the peer speaks nonsense: drop the link, nothing after it can be trusted
#     FrameTooLarge       a frame longer than MAX_FRAME_BYTES was announced or was to be sent

MAX_FRAME_BYTES: Final = 32 * 1024 * 1024
"""The longest payload of one frame; an answer that is longer goes in several chunks."""

_LENGTH: Final = _Packing(">I")


class FrameError(Exception):
    """The stream holds something that is not a frame."""


class FrameTooLarge(FrameError):
    """A frame is longer than `MAX_FRAME_BYTES`."""


class Hello(msgspec.Struct, array_like=True, frozen=True, tag=1):
    """Worker to front, first on every link: who is calling. Each worker process has a name of its own.

    `room` is how many requests it takes from this front at a time without reading them itself. Said again when that
    changes: a worker that leaves takes none.
    """

    worker: str
    room: int = 0


class Claim(msgspec.Struct, array_like=True, frozen=True, tag=2):
    """Worker to front: I hold message `msg_id` of `queue`, read `read_ct` times; give me the body."""

    ticket: bytes
    queue: str
    msg_id: int
    read_ct: int


class Head(msgspec.Struct, array_like=True, frozen=True, tag=3):
    """Worker to front: real output begins. From here on there is no other candidate.

    `dropped` names the parameters that this provider could not be told, with commas between.
    """

    ticket: bytes
    request_id: str
    provider: str
    model: str
    content_type: str
    dropped: str = ""


class Chunk(msgspec.Struct, array_like=True, frozen=True, tag=4):
    """Worker to front: bytes for the customer, ready for the wire: whole events when streamed, less a long last one."""

    ticket: bytes
    data: bytes


class End(msgspec.Struct, array_like=True, frozen=True, tag=5):
    """Worker to front: over and booked. `receipt` is a JSON object, `last` the event that ends a stream."""

    ticket: bytes
    receipt: bytes
    last: bytes = b""


class Body(msgspec.Struct, array_like=True, frozen=True, tag=6):
    """Front to worker: the customer's JSON, untouched.

    `surface` names the route it came by, `headers` are those of his that are for the provider.
    """

    ticket: bytes
    surface: str
    stream: bool
    include_usage: bool
    body: bytes
    headers: dict[str, str] = {}


class Gone(msgspec.Struct, array_like=True, frozen=True, tag=7):
    """Front to worker, instead of a body: nobody waits for this answer.

    `reason` is "unknown_ticket", "client_gone", "front_draining" or "worker_lost"; with the last one an earlier worker
    died after `delivered_bytes` of output had gone to the customer.
    """

    ticket: bytes
    reason: str
    delivered_bytes: int


class Cancel(msgspec.Struct, array_like=True, frozen=True, tag=8):
    """Front to worker: the customer hung up; stop and book."""

    ticket: bytes


class Pause(msgspec.Struct, array_like=True, frozen=True, tag=9):
    """Front to worker: the customer reads slowly; send no more of this answer for now."""

    ticket: bytes


class Resume(msgspec.Struct, array_like=True, frozen=True, tag=10):
    """Front to worker: go on with a paused answer."""

    ticket: bytes


class Wake(msgspec.Struct, array_like=True, frozen=True, tag=11):
    """Front to worker: work has been committed. A hint; nothing depends on its arrival."""


class Welcome(msgspec.Struct, array_like=True, frozen=True, tag=12):
    """Front to worker over TCP: you are known, and this is the front process that you have reached."""

    instance: str


class Ping(msgspec.Struct, array_like=True, frozen=True, tag=13):
    """I am still here: over TCP both ways now and then, and from every worker that has been given work."""


class Work(msgspec.Struct, array_like=True, frozen=True, tag=14):
    """Front to worker: the message `msg_id` of `queue`, which counts as read once, by you; its body follows.

    `message` is the decision as the queue has it, `left_ms` how long the call may still take.
    """

    ticket: bytes
    queue: str
    msg_id: int
    message: str
    left_ms: int


Frame: TypeAlias = (
    Hello | Claim | Head | Chunk | End | Body | Gone | Cancel | Pause | Resume | Wake | Welcome | Ping | Work
)

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[Frame]] = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """The frame as it goes on the wire, length included. Raises `FrameTooLarge`."""
    payload = _encoder.encode(frame)
    if len(payload) > MAX_FRAME_BYTES:
        raise FrameTooLarge(f"a frame of {len(payload)} bytes; the limit is {MAX_FRAME_BYTES}")
    return _LENGTH.pack(len(payload)) + payload


class FrameDecoder:
    """Cuts a byte stream into frames, however the bytes were cut on their way.

    It holds at most one unfinished frame. After a `FrameError` it is spent: every further `feed` raises again.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._wanted = _LENGTH.size
        self._spent = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take what was read; give the frames that are complete now, in order. Raises `FrameError`."""
        if self._spent:
            raise FrameError("the stream held something that is not a frame")
        view: memoryview
        if self._rest:
            self._rest += data
            if len(self._rest) < self._wanted:
                return []
            view = memoryview(bytes(self._rest))
            self._rest.clear()
        else:
            view = memoryview(data)
        frames: list[Frame] = []
        position = 0
        end = len(view)
        try:
            while True:
                start = position + _LENGTH.size
                if start > end:
                    self._wanted = _LENGTH.size
                    break
                (length,) = _LENGTH.unpack_from(view, position)
                if length > MAX_FRAME_BYTES:
                    raise FrameTooLarge(f"a frame of {length} bytes was announced; the limit is {MAX_FRAME_BYTES}")
                if start + length > end:
                    self._wanted = _LENGTH.size + length
                    break
                frames.append(_decoder.decode(view[start : start + length]))
                position = start + length
        except FrameError:
            self._spent = True
            raise
        except msgspec.MsgspecError as error:
            self._spent = True
            # The decoder's own text can quote the payload, and a payload can be a prompt.
            raise FrameError(f"not a frame ({type(error).__name__})") from None
        if position < end:
            self._rest += view[position:]
        return frames
