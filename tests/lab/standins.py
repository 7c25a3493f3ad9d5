"""Stand-ins for the original programs: small, blocking, written from the facts of the formats alone.

They share nothing with the lab: another reader of sockets, another use of the library, another way of
waiting. Where an original is careless (one read for one unit, what follows is dropped), they are, too.
"""

import base64
import json
import os
import socket
import struct
import threading
import urllib.error
import urllib.request
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECONDS = 30.0
OAEP = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
PSS = rsa_padding.PSS(mgf=rsa_padding.MGF1(hashes.SHA256()), salt_length=rsa_padding.PSS.MAX_LENGTH)


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def load(pem: bytes) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def listening() -> socket.socket:
    sock = socket.create_server(("127.0.0.1", 0))
    sock.settimeout(SECONDS)
    return sock


def accepted(server: socket.socket) -> socket.socket:
    sock, _ = server.accept()
    sock.settimeout(SECONDS)
    return sock


# gcm and signed-gcm


def recv_exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def send_frame(sock: socket.socket, kind: bytes, payload: bytes) -> None:
    sock.sendall(kind + struct.pack(">I", len(payload)) + payload)


def recv_frame(sock: socket.socket) -> tuple[bytes, bytes]:
    kind = recv_exactly(sock, 1)
    (length,) = struct.unpack(">I", recv_exactly(sock, 4))
    return kind, recv_exactly(sock, length)


class GcmTalk:
    """One side of *gcm* after its handshake."""

    def __init__(self, sock: socket.socket, session_key: bytes) -> None:
        self.sock = sock
        self.aes = AESGCM(session_key)

    def send(self, text: str) -> bytes:
        nonce = os.urandom(12)
        payload = self.wrap(nonce + self.aes.encrypt(nonce, text.encode(), None))
        send_frame(self.sock, b"M", payload)
        return payload

    def receive(self) -> str:
        kind, payload = recv_frame(self.sock)
        assert kind == b"M"
        sealed = self.unwrap(payload)
        return self.aes.decrypt(sealed[:12], sealed[12:], None).decode()

    def wrap(self, sealed: bytes) -> bytes:
        return sealed

    def unwrap(self, payload: bytes) -> bytes:
        return payload


class SignedTalk(GcmTalk):
    """One side of *signed-gcm* after its handshake."""

    def __init__(
        self, sock: socket.socket, session_key: bytes, own: rsa.RSAPrivateKey, peer: rsa.RSAPublicKey
    ) -> None:
        super().__init__(sock, session_key)
        self.own, self.peer = own, peer

    def wrap(self, sealed: bytes) -> bytes:
        signature = self.own.sign(sealed, PSS, hashes.SHA256())
        return struct.pack(">I", len(signature)) + signature + sealed

    def unwrap(self, payload: bytes) -> bytes:
        (length,) = struct.unpack(">I", payload[:4])
        signature, sealed = payload[4 : 4 + length], payload[4 + length :]
        try:
            self.peer.verify(signature, sealed, PSS, hashes.SHA256())
        except InvalidSignature:
            raise AssertionError("the signature is wrong") from None
        return sealed


def gcm_host(server: socket.socket) -> GcmTalk:
    key, sock = rsa_key(), accepted(server)
    send_frame(sock, b"K", pem_of(key))
    kind, wrapped = recv_frame(sock)
    assert kind == b"S"
    session_key = key.decrypt(wrapped, OAEP)
    assert len(session_key) == 32
    return GcmTalk(sock, session_key)


def gcm_guest(address: tuple[str, int], length: int = 32) -> GcmTalk:
    sock = socket.create_connection(address, SECONDS)
    kind, pem = recv_frame(sock)
    assert kind == b"K"
    session_key = os.urandom(length)
    send_frame(sock, b"S", load(pem).encrypt(session_key, OAEP))
    return GcmTalk(sock, session_key)


def signed_host(server: socket.socket) -> SignedTalk:
    key, sock = rsa_key(), accepted(server)
    send_frame(sock, b"K", pem_of(key))
    kind, pem = recv_frame(sock)
    assert kind == b"K"
    kind, wrapped = recv_frame(sock)
    assert kind == b"S"
    return SignedTalk(sock, key.decrypt(wrapped, OAEP), key, load(pem))


def signed_guest(address: tuple[str, int]) -> SignedTalk:
    key, sock = rsa_key(), socket.create_connection(address, SECONDS)
    send_frame(sock, b"K", pem_of(key))
    kind, pem = recv_frame(sock)
    assert kind == b"K"
    host = load(pem)
    session_key = os.urandom(32)
    send_frame(sock, b"S", host.encrypt(session_key, OAEP))
    return SignedTalk(sock, session_key, key, host)


# json-cbc-hmac


def recv_until_empty_line(sock: socket.socket) -> bytes:
    """Read up to the empty line; what came with it is dropped, as the original drops it."""
    data = b""
    while b"\n\n" not in data:
        piece = sock.recv(4096)
        if not piece:
            raise EOFError
        data += piece
    return data.split(b"\n\n", 1)[0]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def hmac_of(key: bytes, data: bytes) -> bytes:
    code = hmac.HMAC(key, hashes.SHA256())
    code.update(data)
    return code.finalize()


class JsonHost:
    """The host of *json-cbc-hmac* for one guest."""

    def __init__(self, server: socket.socket) -> None:
        key = rsa_key()
        self.sock = accepted(server)
        self.sock.sendall(b"SERVER_PUB\n" + pem_of(key) + b"\n\n")
        found = json.loads(recv_until_empty_line(self.sock))
        blob = key.decrypt(base64.b64decode(found["enc_session"]), OAEP)
        assert len(blob) == 48
        guest = load(base64.b64decode(found["client_pub"]))
        guest.verify(base64.b64decode(found["client_sig"]), blob, PSS, hashes.SHA256())
        self.key, self.iv = blob[:32], blob[32:]

    def receive(self) -> str:
        found = json.loads(recv_until_empty_line(self.sock))
        cipher = base64.b64decode(found["cipher"])
        assert hmac_of(self.key, cipher) == base64.b64decode(found["hmac"])
        decryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        padded = decryptor.update(cipher) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()


class JsonGuest:
    """The guest of *json-cbc-hmac*; ``tamper`` spoils the signature of its session."""

    def __init__(self, address: tuple[str, int], *, tamper: bool = False) -> None:
        self.sock = socket.create_connection(address, SECONDS)
        greeting = recv_until_empty_line(self.sock)
        assert greeting.startswith(b"SERVER_PUB\n")
        host, own = load(greeting.removeprefix(b"SERVER_PUB\n")), rsa_key()
        self.key, self.iv = os.urandom(32), os.urandom(16)
        blob = self.key + self.iv
        signature = own.sign(blob + b"!" * tamper, PSS, hashes.SHA256())
        answer = {
            "enc_session": b64(host.encrypt(blob, OAEP)),
            "client_pub": b64(pem_of(own)),
            "client_sig": b64(signature),
        }
        self.sock.sendall(json.dumps(answer).encode() + b"\n\n")

    def send(self, text: str, *, tamper: bool = False) -> None:
        padder = padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).encryptor()
        padded = padder.update(text.encode()) + padder.finalize()
        cipher = encryptor.update(padded) + encryptor.finalize()
        code = hmac_of(self.key, cipher + b"!" * tamper)
        self.sock.sendall(json.dumps({"cipher": b64(cipher), "hmac": b64(code)}).encode() + b"\n\n")


# relay


class RelayHandler(BaseHTTPRequestHandler):
    server: "RelayServer"

    def do_POST(self) -> None:
        found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        store = self.server.store
        if self.path == "/register_public_key":
            store["key"] = found["public_key_pem_b64"]
        elif self.path == "/send_encrypted_master_secret":
            store["secret"] = found["encrypted_master_secret_b64"]
        elif self.path == "/send_message":
            parts = {name: found[name] for name in ("ciphertext", "nonce", "tag", "associated_data")}
            store[found["recipient"]].append(parts)  # who sent it is not kept
        self.answer(200, {"status": "ok"})

    def do_GET(self) -> None:
        store = self.server.store
        if self.path == "/get_public_key/bob":
            if store["key"]:
                self.answer(200, {"public_key_pem_b64": store["key"]})
            else:
                self.answer(404, {"status": "not there"})
        elif self.path == "/get_encrypted_master_secret":
            secret, store["secret"] = store["secret"], None
            # Some answer a failure as a list, with the status of a success.
            self.answer(200, {"encrypted_master_secret_b64": secret} if secret else [{"status": "none"}, 404])
        else:
            user = self.path.rpartition("/")[2]
            messages, store[user] = store[user], []
            self.answer(200, {"messages": messages})

    def answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


class RelayServer(HTTPServer):
    """A relay in a thread."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RelayHandler)
        self.store: dict[str, Any] = {"key": None, "secret": None, "alice": [], "bob": []}
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


class RelayClient:
    """Alice or bob of *relay*."""

    def __init__(self, user: str, address: tuple[str, int]) -> None:
        self.user, self.other = user, "bob" if user == "alice" else "alice"
        self.url = f"http://{address[0]}:{address[1]}"
        self.key = b""

    def post(self, path: str, value: dict[str, str]) -> None:
        headers = {"Content-Type": "application/json"}
        body = json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310 - http alone
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            json.loads(response.read())

    def get(self, path: str) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(self.url + path, timeout=SECONDS) as response:  # noqa: S310
                found = json.loads(response.read())
                return found if isinstance(found, dict) else None
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 404:
                raise
            return None

    def wait(self, path: str) -> dict[str, Any]:
        pause = threading.Event()
        for _ in range(int(SECONDS * 10)):
            if found := self.get(path):
                return found
            pause.wait(0.1)
        raise TimeoutError(path)

    def agree(self, private: rsa.RSAPrivateKey | None = None) -> None:
        if self.user == "alice":
            found = self.wait("/get_public_key/bob")
            secret = os.urandom(32)
            wrapped = load(base64.b64decode(found["public_key_pem_b64"])).encrypt(secret, OAEP)
            self.post("/send_encrypted_master_secret", {"encrypted_master_secret_b64": b64(wrapped)})
        else:
            assert private is not None
            self.post("/register_public_key", {"user_id": "bob", "public_key_pem_b64": b64(pem_of(private))})
            found = self.wait("/get_encrypted_master_secret")
            secret = private.decrypt(base64.b64decode(found["encrypted_master_secret_b64"]), OAEP)
        assert len(secret) == 32
        self.key = HKDF(hashes.SHA256(), 32, None, b"chat_session_key_alice_bob").derive(secret)

    def send(self, text: str, stamp: bytes = b"1800000000") -> None:
        nonce = os.urandom(12)
        sealed = AESGCM(self.key).encrypt(nonce, text.encode(), stamp)
        parts = {"ciphertext": sealed[:-16], "nonce": nonce, "tag": sealed[-16:], "associated_data": stamp}
        named = {name: b64(value) for name, value in parts.items()}
        self.post("/send_message", {"sender": self.user, "recipient": self.other, **named})

    def receive(self) -> str:
        pause = threading.Event()
        for _ in range(int(SECONDS * 10)):
            found = self.get(f"/get_messages/{self.user}")
            if found and found["messages"]:
                (message,) = found["messages"]
                parts = {name: base64.b64decode(message[name]) for name in message if name not in _NAMES}
                sealed = parts["ciphertext"] + parts["tag"]
                return AESGCM(self.key).decrypt(parts["nonce"], sealed, parts["associated_data"]).decode()
            pause.wait(0.1)
        raise TimeoutError("no message")


_NAMES = ("sender", "recipient")
