"""The relay over HTTP/1.1, with the standard library: bounded bodies, bounded callers, bounded time."""

import http.client
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from securechat_tui.lab.relay_store import MAX_BODY, Answer, RelayStore

__all__ = ["HttpFailure", "RelayServer", "exchange"]

_TIMEOUT: Final = 15.0
_MAX_CALLERS: Final = 32
_OK: Final = range(200, 300)
_ANSWER_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of an answer: a thousand messages may wait."""


class HttpFailure(Exception):
    """A request came to nothing; the sentence says what to do."""


_Request = socket.socket | tuple[bytes, socket.socket]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listening: socket.socket, store: RelayStore) -> None:
        self.store = store
        self._callers = threading.BoundedSemaphore(_MAX_CALLERS)
        super().__init__(listening.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()  # the library makes one that nobody has asked for
        self.socket = listening

    def process_request(self, request: _Request, client_address: Any) -> None:  # noqa: ANN401 - the library's type
        if not self._callers.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: _Request, client_address: Any) -> None:  # noqa: ANN401
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._callers.release()

    def handle_error(self, request: _Request, client_address: Any) -> None:  # noqa: ANN401
        """A caller that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT
    server: _Server

    def do_GET(self) -> None:
        self._tell("GET", b"")
        self._answer(self.server.store.get(self.path))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal()):
            self._refuse(411, "say how long the body is")
        elif len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            self._refuse(413, f"a body may have {MAX_BODY} bytes")
        else:
            body = self.rfile.read(int(length))
            self._tell("POST", body)
            self._answer(self.server.store.post(self.path, body))

    def _tell(self, method: str, body: bytes) -> None:
        notice = self.server.store.on_request
        if notice is not None:
            notice(method, self.path, body.decode("utf-8", "replace"))

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True
        self._answer((status, {"status": why}))

    def _answer(self, answer: Answer) -> None:
        status, value = answer
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "relay"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Say nothing: standard error belongs to the program."""


class RelayServer:
    """A relay that answers on a listening socket, from entering the context to leaving it."""

    def __init__(self, store: RelayStore, listening: socket.socket) -> None:
        name = listening.getsockname()
        self.address = (str(name[0]), int(name[1]))
        self._server = _Server(listening, store)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def exchange(address: tuple[str, int], method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """Send one request and return status and body; blocks, and raises :class:`HttpFailure`."""
    connection = http.client.HTTPConnection(*address, timeout=_TIMEOUT)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        found = response.read(_ANSWER_LIMIT + 1)
    except (OSError, http.client.HTTPException) as error:
        raise HttpFailure(f"The relay does not answer ({type(error).__name__}): is it running?") from None
    finally:
        connection.close()
    if len(found) > _ANSWER_LIMIT:
        raise HttpFailure(f"The relay's answer has more than {_ANSWER_LIMIT} bytes.")
    return (response.status, found) if response.status in _OK else (response.status, b"")
