"""The classic signed protocol, as the ancestors wrote it: blocking sockets, one signature a message.

Frames are ``type (1) || length (4, big-endian) || payload``. Both sides send ``K`` with their RSA public
key as PEM at once; the guest sends ``S``, 32 random bytes under RSA-OAEP-SHA256. Each message is ``M``:
``length of the signature (4) || RSA-PSS-SHA256 signature over the rest || nonce (12) || AES-256-GCM
ciphertext and tag``. The signature is checked before decrypting.
"""

import os
import socket
import struct
import threading
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.peer import ECHO, SWALLOW, Announce, connected, text

_SHA256 = hashes.SHA256()
_OAEP = padding.OAEP(padding.MGF1(_SHA256), _SHA256, None)
_PSS = padding.PSS(padding.MGF1(_SHA256), padding.PSS.MAX_LENGTH)
_HEADER = struct.Struct(">cI")


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _send_frame(sock: socket.socket, kind: bytes, payload: bytes) -> None:
    sock.sendall(_HEADER.pack(kind, len(payload)) + payload)


def _receive(sock: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = sock.recv(length - len(data))
        if not part:
            raise ConnectionError
        data += part
    return bytes(data)


def _receive_frame(sock: socket.socket, kind: bytes) -> bytes:
    found, length = _HEADER.unpack(_receive(sock, _HEADER.size))
    if found != kind:
        raise ConnectionError
    return _receive(sock, length)


class Classic:
    """One side of one connection after the handshake."""

    def __init__(self, sock: socket.socket, key: rsa.RSAPrivateKey, *, guest: bool) -> None:
        """Exchange keys; raises ConnectionError."""
        self._sock, self._key = sock, key
        _send_frame(sock, b"K", _pem(key))
        peer = serialization.load_pem_public_key(_receive_frame(sock, b"K"))
        if not isinstance(peer, rsa.RSAPublicKey):
            raise ConnectionError
        self._peer = peer
        if guest:
            secret = os.urandom(32)
            _send_frame(sock, b"S", peer.encrypt(secret, _OAEP))
        else:
            secret = key.decrypt(_receive_frame(sock, b"S"), _OAEP)
        self._cipher = AESGCM(secret)

    def send(self, message: bytes) -> None:
        """Encrypt, sign, write."""
        nonce = os.urandom(12)
        sealed = nonce + self._cipher.encrypt(nonce, message, None)
        signature = self._key.sign(sealed, _PSS, _SHA256)
        _send_frame(self._sock, b"M", len(signature).to_bytes(4, "big") + signature + sealed)

    def receive(self) -> bytes:
        """Read, check, decrypt; raises ConnectionError, InvalidSignature or InvalidTag."""
        payload = _receive_frame(self._sock, b"M")
        end = 4 + int.from_bytes(payload[:4], "big")
        sealed = payload[end:]
        self._peer.verify(payload[4:end], sealed, _PSS, _SHA256)
        return self._cipher.decrypt(sealed[:12], sealed[12:], None)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


class ClassicGuest:
    """The side that measures; ``no_delay`` is TCP_NODELAY, on both sides of the connection."""

    def __init__(self, port: int, *, no_delay: bool) -> None:
        self._port, self._no_delay = port, no_delay
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=3072)

    def connect(self) -> Classic:
        """Return a connection after its handshake."""
        return Classic(connected(self._port, no_delay=self._no_delay), self._key, guest=True)

    def handshake(self) -> float:
        """Return the seconds from connecting to the first echo."""
        start = time.perf_counter()
        line = self.connect()
        line.send(ECHO)
        line.receive()
        seconds = time.perf_counter() - start
        line.close()
        return seconds

    def flood(self, size: int, count: int) -> float:
        """Return messages per second."""
        line = self.connect()
        message = text(SWALLOW, size)
        start = time.perf_counter()
        for _ in range(count):
            line.send(message)
        line.send(ECHO)
        line.receive()
        seconds = time.perf_counter() - start
        line.close()
        return count / seconds

    def round_trips(self, size: int, count: int) -> list[float]:
        """Return the seconds of each round trip."""
        line = self.connect()
        message = text(ECHO, size)
        times = []
        for _ in range(count):
            start = time.perf_counter()
            line.send(message)
            line.receive()
            times.append(time.perf_counter() - start)
        line.close()
        return times


def _serve_one(sock: socket.socket, key: rsa.RSAPrivateKey) -> None:
    with sock:
        try:
            line = Classic(sock, key, guest=False)
            while True:
                message = line.receive()
                if not message.startswith(SWALLOW):
                    line.send(message)
        except ConnectionError:
            return


def _serve(announce: Announce, *, no_delay: bool) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        announce(listening.getsockname()[1])
        while True:
            sock, _ = listening.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)
            threading.Thread(target=_serve_one, args=(sock, key), daemon=True).start()


def serve(_folder: Path, announce: Announce) -> None:
    """Serve as the ancestors did."""
    _serve(announce, no_delay=False)


def serve_no_delay(_folder: Path, announce: Announce) -> None:
    """Serve with TCP_NODELAY, so that nobody is beaten by Nagle."""
    _serve(announce, no_delay=True)
