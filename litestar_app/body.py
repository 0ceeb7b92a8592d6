"""Reading a request's body: never more than the limit in memory. How long it may take is protocol.py's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from litestar_app.errors import BodyTooLarge, ClientLeft, EncodedBody

if TYPE_CHECKING:
    from litestar.types import Receive

    from litestar_app.admission import Load
    from litestar_app.auth import Headers

DISCARD_BYTES: Final = 64 * 1024 * 1024
"""How much of a body that is too large is read and thrown away, so that the client, which is still
writing, can read our answer; beyond it the connection is closed."""


async def read_body(headers: Headers, receive: Receive, limit: int, load: Load) -> bytes:
    """The body as it was sent, at most `limit` bytes.

    Raises `BodyTooLarge` before anything of a body with a larger content-length is read, and as
    soon as one without grows too large; `EncodedBody`, and nothing is ever unpacked; `ClientLeft`; `Overloaded` when
    the front holds too many bodies. `load` counts every byte that comes.
    What a body says it is does not matter: it must be JSON, under whatever Content-Type.
    """
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.strip().lower() != b"identity":
        raise EncodedBody
    length = int(headers.get(b"content-length", b"0"))  # digits only: the parser has seen to that
    if length > limit:
        raise BodyTooLarge(limit, close=length > DISCARD_BYTES)
    return await _read(receive, limit, load)


async def _read(receive: Receive, limit: int, load: Load) -> bytes:
    message = await receive()
    if message["type"] != "http.request":
        raise ClientLeft
    first: bytes = message.get("body", b"")
    load.add_body(len(first))
    if not message.get("more_body", False) and len(first) <= limit:
        return first
    pieces = [first]
    size = len(first)
    while message.get("more_body", False):
        message = await receive()
        if message["type"] != "http.request":
            raise ClientLeft
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            pieces.clear()
            load.drop_body()
            if size > DISCARD_BYTES:
                raise BodyTooLarge(limit, close=True)
        else:
            load.add_body(len(piece))
            pieces.append(piece)
    if size > limit:
        raise BodyTooLarge(limit, close=False)
    return b"".join(pieces)
