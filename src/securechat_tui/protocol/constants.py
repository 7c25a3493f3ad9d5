"""Every number and label of the specification (``docs/protocol.md``), and nothing else.

Implementation limits that a peer cannot observe do not belong here.
"""

from typing import Final

VERSION: Final = 1
"""The only protocol version so far; a version is one fixed suite."""
SUITE: Final = "X25519+ML-KEM-768+RSA-OAEP, RSA-PSS, AES-256-GCM, SHA-256"
MAX_OFFERED_VERSIONS: Final = 16

# Sizes in bytes.
HASH_LENGTH: Final = 32
KEY_LENGTH: Final = 32
AEAD_TAG_LENGTH: Final = 16
TAG_LENGTH: Final = 32
FIN_LENGTH: Final = 32
X25519_LENGTH: Final = 32
MLKEM_KEY_LENGTH: Final = 1184
MLKEM_CIPHERTEXT_LENGTH: Final = 1088
CONTRIBUTION_LENGTH: Final = 32
"""The guest's random contribution ``o``, wrapped with RSA-OAEP."""
GENERATION_LENGTH: Final = 16

# RSA identity keys.
RSA_BITS: Final = (3072, 4096)
RSA_EXPONENT: Final = 65537
RSA_SMALLEST_FACTOR: Final = 1 << 16
PSS_SALT_LENGTH: Final = 32
MAX_SPKI_LENGTH: Final = 550
MAX_SIGNATURE_LENGTH: Final = 512

# Handshake frames.
MAX_ROTATIONS: Final = 2
HOST_SECTION_LENGTH: Final = 2560
"""Length to which the plaintext of E_H is padded."""
GUEST_SECTION_LENGTH: Final = 2816
"""Length to which the plaintext of E_G is padded."""
K1_CAP: Final = 2048
K2_LENGTH: Final = 2 + X25519_LENGTH + MLKEM_CIPHERTEXT_LENGTH + HOST_SECTION_LENGTH + AEAD_TAG_LENGTH
S_LENGTH: Final = GUEST_SECTION_LENGTH + AEAD_TAG_LENGTH
HINT_CAP: Final = 64

# Records.
RECORD_SIZES: Final = (256, 1024, 4096, 16384, 65536)
"""The lengths to which the plaintext of a record is padded."""
MAX_PAYLOAD_LENGTH: Final = RECORD_SIZES[-1] - 4
EPOCH_LENGTH: Final = 4
RECORD_OVERHEAD: Final = EPOCH_LENGTH + AEAD_TAG_LENGTH
RECORD_CAP: Final = RECORD_SIZES[-1] + RECORD_OVERHEAD
RECORD_NONCE: Final = bytes(12)
"""Every AEAD key is used once, so the nonce is constant."""

# Rekeying and liveness, in seconds, records and signatures.
REKEY_SIGNATURES: Final = 50
REKEY_RECORDS: Final = 1_000_000
REKEY_SECONDS: Final = 600.0
REKEY_PAUSE_SECONDS: Final = 10.0
REKEY_MAX_RECORDS: Final = 2_000_000
REKEY_MAX_SECONDS: Final = 1200.0
REKEY_MIN_SECONDS: Final = 1.0
HANDSHAKE_SECONDS: Final = 10.0
PING_SECONDS: Final = 15.0
DEAD_PEER_SECONDS: Final = 45.0
FRESH_SECONDS: Final = 60.0

# Payloads.
MAX_TEXT_LENGTH: Final = 32 * 1024
"""Bytes of UTF-8 in one message."""
MAX_NAME_LENGTH: Final = 256
"""Bytes of UTF-8 in a name."""
MAX_BATCH: Final = 128

# Labels: one versioned label for each derivation, hash and signature.
LABEL_T1: Final = b"securechat-tui/1 T1"
LABEL_T2: Final = b"securechat-tui/1 T2"
LABEL_T3: Final = b"securechat-tui/1 T3"
LABEL_HOST_SECTION: Final = b"securechat-tui/1 host section key"
LABEL_GUEST_SECTION: Final = b"securechat-tui/1 guest section key"
LABEL_HOST_SIGNATURE: Final = b"securechat-tui/1 host signature"
LABEL_GUEST_SIGNATURE: Final = b"securechat-tui/1 guest signature"
LABEL_OAEP: Final = b"securechat-tui/1 oaep"
LABEL_CALL_TAG: Final = b"securechat-tui/1 call tag"
LABEL_FIN_HOST_KEY: Final = b"securechat-tui/1 fin host key"
LABEL_FIN_GUEST_KEY: Final = b"securechat-tui/1 fin guest key"
LABEL_FIN: Final = b"securechat-tui/1 fin"
LABEL_ROOT: Final = b"securechat-tui/1 root"
LABEL_SESSION_ID: Final = b"securechat-tui/1 session id"
LABEL_EXPORTER: Final = b"securechat-tui/1 exporter"
LABEL_RECONNECT: Final = b"securechat-tui/1 reconnect secret"
LABEL_HOST_CHAIN: Final = b"securechat-tui/1 host chain"
LABEL_GUEST_CHAIN: Final = b"securechat-tui/1 guest chain"
LABEL_CHAIN_STEP: Final = b"securechat-tui/1 chain step"
LABEL_RECORD: Final = b"securechat-tui/1 record"
LABEL_REKEY_FIRST: Final = b"securechat-tui/1 rekey first"
LABEL_REKEY_SECOND: Final = b"securechat-tui/1 rekey second"
LABEL_REKEY_ROOT: Final = b"securechat-tui/1 rekey root"
LABEL_ROTATION: Final = b"securechat-tui/1 rotation"
LABEL_CONVERSATION: Final = b"securechat-tui/1 conversation"
LABEL_HEADER: Final = b"securechat-tui/1 message header"
LABEL_HEADER_HASH: Final = b"securechat-tui/1 header hash"
LABEL_CONTENT: Final = b"securechat-tui/1 content"
LABEL_UNSIGNED: Final = b"securechat-tui/1 unsigned message"
LABEL_RUNNING_START: Final = b"securechat-tui/1 running hash start"
LABEL_RUNNING: Final = b"securechat-tui/1 running hash"
LABEL_BATCH: Final = b"securechat-tui/1 message signature"
LABEL_INVITE_TAG: Final = b"securechat-tui/1 invite tag secret"
LABEL_INVITE_CHECK: Final = b"securechat-tui/1 invite check"
LABEL_COMPARISON_COMMIT: Final = b"securechat-tui/1 comparison commit"
LABEL_COMPARISON_CODE: Final = b"securechat-tui/1 comparison code"
LABEL_SAFETY_NUMBER: Final = b"securechat-tui/1 safety number"

# The safety number's Argon2id (RFC 9106), version 0x13.
SAFETY_MEMORY_KIB: Final = 64 * 1024
SAFETY_PASSES: Final = 3
SAFETY_LANES: Final = 4
SAFETY_SALT_LENGTH: Final = 16
