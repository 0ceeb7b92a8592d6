"""A wire between two processes: hands bytes on, remembers them, and breaks as networks do."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading


class Wire:
    """Listens on a port of its own and connects whoever comes with `target`, both on the loopback address."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._frozen: set[socket.socket] = set()
        self._is_shut = False
        self._recorded = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stopping = threading.Event()
        self._thread.start()

    @property
    def recorded(self) -> bytes:
        """Everything that has passed, both ways."""
        with self._lock:
            return bytes(self._recorded)

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        with self._lock:
            return len(self._pairs)

    def cut(self) -> None:
        """Break every connection with a reset on both sides; new ones are possible at once."""
        with self._lock:
            for pair in tuple(self._pairs):
                for end in pair:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._drop(pair)

    def freeze(self) -> None:
        """From now on nothing passes on the connections that are open, and neither side is told."""
        with self._lock:
            self._frozen.update(end for pair in self._pairs for end in pair)

    def vanish(self) -> None:
        """Freeze, and refuse new connections: each side must find out by itself."""
        self._is_shut = True
        self.freeze()

    def close(self) -> None:
        """Hang up everywhere."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        with self._lock:
            for pair in tuple(self._pairs):
                self._drop(pair)
        self._selector.close()
        self._listener.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if self._stopping.is_set():
                    return
                if key.fileobj is self._listener:
                    self._connect()
                else:
                    with self._lock:
                        self._pass(key.fileobj, key.data)

    def _connect(self) -> None:
        near, _ = self._listener.accept()
        try:
            if self._is_shut:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            near.close()
            return
        with self._lock:
            pair = (near, far)
            self._pairs.append(pair)
            self._selector.register(near, selectors.EVENT_READ, (far, pair))
            self._selector.register(far, selectors.EVENT_READ, (near, pair))

    def _pass(self, source: object, data: tuple[socket.socket, tuple[socket.socket, socket.socket]]) -> None:
        assert isinstance(source, socket.socket)
        other, pair = data
        if pair not in self._pairs:
            return
        try:
            said = source.recv(65536)
            if said and source not in self._frozen:
                self._recorded += said
                other.sendall(said)
        except OSError:
            said = b""
        if not said:
            if source in self._frozen:
                self._selector.unregister(source)  # its end is not told either
            else:
                self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        if pair in self._pairs:
            self._pairs.remove(pair)
        for end in pair:
            self._frozen.discard(end)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(end)
            end.close()
