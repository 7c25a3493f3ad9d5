"""Two kinds of failure: the peer's and our caller's.

A :class:`RemoteError` is caused by bytes that a peer sent: it never leaves the session, which
answers every one with the same outward close and keeps the reason for the local log. A
:class:`LocalError` is a bug or a refused request on this side.
"""


class ProtocolError(Exception):
    """The common base."""


class LocalError(ProtocolError):
    """This side asked for something that the protocol does not allow now."""


class BadKey(ProtocolError):
    """A key that this protocol does not accept: wrong type, size, exponent or encoding."""


class RemoteError(ProtocolError):
    """The peer sent something that the protocol does not allow.

    ``outcome`` is one of the words of the specification's list of outcomes.
    """

    outcome = "protocol violation"

    def __init__(self, detail: str) -> None:
        super().__init__(f"{self.outcome}: {detail}")


class FrameError(RemoteError):
    """A frame of an unknown type, at a wrong time, or of a length that the state does not allow."""

    outcome = "frame refused"


class HandshakeFailure(RemoteError):
    """The handshake did not verify."""

    outcome = "handshake failure"


class SelfConnection(HandshakeFailure):
    """The peer showed our own identity key."""

    outcome = "own fingerprint"


class VersionMismatch(RemoteError):
    """The two sides share no protocol version, or the chosen one is not the highest they share."""

    outcome = "version mismatch"


class RecordFailure(RemoteError):
    """A record did not open."""

    outcome = "record failure"


class MalformedPayload(RemoteError):
    """A payload or body does not follow its layout."""

    outcome = "malformed payload"


class OutOfPlace(RemoteError):
    """A well-formed payload came where the rules of order do not admit it."""

    outcome = "out of place"


class RekeyFailure(RemoteError):
    """A rekey record is wrong, too early or overdue."""

    outcome = "rekey failure"


class SignatureFailure(RemoteError):
    """A message or batch whose signature, path or binding does not verify."""

    outcome = "signature failure"


class OutOfOrder(RemoteError):
    """A message whose number, previous hash or generation is not the next one."""

    outcome = "out of order"


class ComparisonFailure(RemoteError):
    """A comparison's revealed value does not open its commitment."""

    outcome = "comparison failure"
