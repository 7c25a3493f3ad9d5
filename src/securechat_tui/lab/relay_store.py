"""The relay of *relay*, without HTTP: a store for one key, one secret and two queues.

It is the man in the middle by construction: everything passes through it, in clear but for what the
clients encrypt. ``meddle`` is where an attack takes that place.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from securechat_tui.lab.json_cbc_hmac import json_fields
from securechat_tui.lab.units import Unit

__all__ = ["MAX_BODY", "ROLES", "USERS", "Answer", "RelayStore", "decode_body", "relay_fields"]

USERS: Final = ("alice", "bob")
ROLES: Final = {"alice": "guest", "bob": "host"}
"""Alice makes the master secret for bob's key, as a guest does for a host's."""
MAX_BODY: Final = 128 * 1024
MAX_WAITING: Final = 1000
"""Messages that wait for one user."""
MAX_WAITING_BYTES: Final = 4 * 1024 * 1024
"""And how much they may have together."""
_KINDS: Final = {
    "/register_public_key": "key",
    "/send_encrypted_master_secret": "session",
    "/send_message": "message",
}
_MESSAGE: Final = ("sender", "recipient", "ciphertext", "nonce", "tag", "associated_data")
_NAMES: Final = {
    "key": ("user_id", "public_key_pem_b64"),
    "session": ("encrypted_master_secret_b64",),
    "message": _MESSAGE,
}
_REQUIRED: Final = _MESSAGE[:5]

Answer = tuple[int, dict[str, Any]]
Meddle = Callable[[Unit], Iterable[bytes]]


def relay_fields(kind: str, data: bytes) -> tuple[Any, ...]:
    """Name the parts of a request's body."""
    return json_fields(data, _NAMES.get(kind, ()))


class RelayStore:
    """What the relay remembers; every method may be called from any thread."""

    def __init__(self, meddle: Meddle | None = None) -> None:
        self._meddle = meddle
        self._lock = threading.Lock()
        self._keys: dict[str, str] = {}
        self._secret: str | None = None
        self._waiting: dict[str, deque[dict[str, Any]]] = {user: deque() for user in USERS}
        self._sizes = dict.fromkeys(USERS, 0)
        self.handed = dict.fromkeys(USERS, 0)
        """Messages given out so far."""
        self.on_request: Callable[[str, str, str], None] | None = None
        """Is told who (a user, or empty), the method and the path."""

    def get(self, path: str) -> Answer:
        """Answer a GET."""
        head, _, user = path.rpartition("/")
        with self._lock:
            if path == "/get_encrypted_master_secret":
                return self._give_secret()
            if head == "/get_public_key":
                found = self._keys.get(user)
                return (
                    (200, {"user_id": user, "public_key_pem_b64": found}) if found else _missing("no key yet")
                )
            if head == "/get_messages" and user in USERS:
                return self._give_messages(user)
        return _missing("there is nothing at this path")

    def post(self, path: str, body: bytes) -> Answer:
        """Answer a POST."""
        kind = _KINDS.get(path)
        if kind is None:
            return _missing("there is nothing at this path")
        found = decode_body(body)
        if found is None:
            return 400, {"status": "not a JSON object"}
        if self._meddle is None:
            return self.store(kind, found)
        unit = Unit(_role(kind, found), kind, body, relay_fields(kind, body))
        for piece in self._meddle(unit):
            self.store(kind, decode_body(piece) or {})
        return 200, {"status": "received"}

    def store(self, kind: str, found: Mapping[str, Any]) -> Answer:
        """Keep what a POST brought."""
        names = _REQUIRED if kind == "message" else _NAMES[kind]
        if not all(isinstance(found.get(name), str) and found[name] for name in names):
            return 400, {"status": "a value is missing"}
        with self._lock:
            return self._keep(kind, found)

    def waiting(self, user: str) -> int:
        """How many messages wait for a user."""
        with self._lock:
            return len(self._waiting[user])

    def _keep(self, kind: str, found: Mapping[str, Any]) -> Answer:
        if kind == "key":
            if found["user_id"] not in USERS:
                return 400, {"status": "the users are alice and bob"}
            self._keys[found["user_id"]] = found["public_key_pem_b64"]
        elif kind == "session":
            self._secret = found["encrypted_master_secret_b64"]
        else:
            queue = self._waiting.get(found["recipient"])
            if queue is None:
                return 400, {"status": "the users are alice and bob"}
            message = {name: found[name] for name in _MESSAGE if isinstance(found.get(name), str)}
            size = sum(map(len, message.values()))
            if len(queue) >= MAX_WAITING or self._sizes[found["recipient"]] + size > MAX_WAITING_BYTES:
                return 503, {"status": "too much waits"}
            queue.append(message)
            self._sizes[found["recipient"]] += size
        return 200, {"status": "received"}

    def _give_secret(self) -> Answer:
        secret, self._secret = self._secret, None
        return (200, {"encrypted_master_secret_b64": secret}) if secret else _missing("no secret yet")

    def _give_messages(self, user: str) -> Answer:
        found = list(self._waiting[user])
        self._waiting[user].clear()
        self._sizes[user] = 0
        self.handed[user] += len(found)
        return 200, {"messages": found}


def _role(kind: str, found: Mapping[str, Any]) -> str:
    user = {"key": found.get("user_id"), "session": "alice"}.get(kind, found.get("sender"))
    return ROLES.get(str(user), "guest")


def _missing(why: str) -> Answer:
    return 404, {"status": why}


def decode_body(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body is, or None."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
